//! Versions of packages on the hub: which are there, and which fulfil what is asked for.

use std::cmp::Ordering;

/// `1.2.3`, with what stands behind a dash.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    numbers: [u64; 3],
    /// `rc1` of `1.2.3-rc1`; a version with one comes before the same without.
    prerelease: Option<String>,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('v');
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let (numbers, prerelease) = match text.split_once('-') {
            Some((numbers, rest)) => (numbers, Some(rest.to_owned())),
            None => (text, None),
        };
        let mut parts = numbers.split('.').map(str::parse);
        let mut next = || parts.next().unwrap_or(Ok(0)).ok();
        let numbers = [next()?, next()?, next()?];
        Some(Self {
            numbers,
            prerelease,
        })
    }

    fn compare(&self, other: &Self) -> Ordering {
        let by_numbers = self.numbers.cmp(&other.numbers);
        by_numbers.then_with(|| match (&self.prerelease, &other.prerelease) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => a.cmp(b),
        })
    }
}

/// Whether a version fulfils conditions such as `>=1.0.0` or `1.1.1`; nothing fulfils what cannot
/// be read.
pub(super) fn fulfils(version: &str, conditions: &[String]) -> bool {
    let Some(version) = Version::parse(version) else {
        return false;
    };
    let mut single = conditions.iter().flat_map(|c| c.split(','));
    single.all(|condition| {
        let condition = condition.trim();
        let rest = condition.trim_start_matches(['<', '>', '=']);
        let operator = &condition[..condition.len() - rest.len()];
        let Some(limit) = Version::parse(rest) else {
            return false;
        };
        let order = version.compare(&limit);
        match operator {
            "" | "=" | "==" => order == Ordering::Equal,
            ">" => order == Ordering::Greater,
            ">=" => order != Ordering::Less,
            "<" => order == Ordering::Less,
            "<=" => order != Ordering::Greater,
            _ => false,
        }
    })
}

/// The greatest version that fulfils all; one before its release only where `prerelease` says
/// so or it is asked for by name.
pub(super) fn greatest<'v>(
    versions: impl Iterator<Item = &'v str>,
    conditions: &[String],
    prerelease: bool,
) -> Option<&'v str> {
    let by_name = |text: &str| conditions.iter().any(|c| c.trim_start_matches('=') == text);
    versions
        .filter(|text| fulfils(text, conditions))
        .filter_map(|text| Some((text, Version::parse(text)?)))
        .filter(|(text, version)| prerelease || version.prerelease.is_none() || by_name(text))
        .max_by(|(_, a), (_, b)| a.compare(b))
        .map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(conditions: &[&str], prerelease: bool) -> Option<&'static str> {
        let all = ["0.9.6", "1.0.0", "1.10.0", "1.2.0", "2.0.0-rc1"];
        let conditions: Vec<String> = conditions.iter().map(|c| (*c).to_owned()).collect();
        greatest(all.into_iter(), &conditions, prerelease)
    }

    #[test]
    fn the_greatest_that_fulfils_all_is_taken() {
        assert_eq!(asked(&[], false), Some("1.10.0"));
        assert_eq!(asked(&[], true), Some("2.0.0-rc1"));
        assert_eq!(asked(&[">=1.0.0", "<1.10.0"], false), Some("1.2.0"));
        assert_eq!(asked(&[">=1.0.0,<1.2.0"], false), Some("1.0.0"));
        assert_eq!(asked(&["0.9.6"], false), Some("0.9.6"));
        assert_eq!(asked(&["2.0.0-rc1"], false), Some("2.0.0-rc1"));
        assert_eq!(asked(&[">2.0.0"], true), None);
        assert_eq!(asked(&["~1"], true), None);
    }
}
