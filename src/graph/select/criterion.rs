//! Reads criteria from text: the grammar of `--select`.

use super::method::Method;
use super::spec::{Combine, Criterion, IndirectSelection, Reach, Spec};
use crate::diag::{Diagnostic, codes};

/// Reads arguments of `--select` or `--exclude`: blanks separate what is united, commas what
/// is intersected.
pub(super) fn union(arguments: &[String], indirect: IndirectSelection) -> Result<Spec, Diagnostic> {
    let mut parts = Vec::new();
    for text in arguments.iter().flat_map(|a| a.split_whitespace()) {
        let criteria = text
            .split(',')
            .map(|part| criterion(part, indirect).map(|c| Spec::Criterion(Box::new(c))))
            .collect::<Result<Vec<_>, _>>()?;
        parts.push(Spec::Group {
            combine: Combine::Intersection,
            parts: criteria,
            indirect,
            expects: Some(text.to_owned()),
        });
    }
    Ok(Spec::Group {
        combine: Combine::Union,
        parts,
        indirect,
        expects: None,
    })
}

/// Reads one criterion: `[@][[n]+][method:]value[+[n]]`.
pub(super) fn criterion(text: &str, indirect: IndirectSelection) -> Result<Criterion, Diagnostic> {
    let mut rest = text;
    let childrens_parents = rest.starts_with('@');
    if childrens_parents {
        rest = &rest[1..];
    }
    let mut parents = Reach::Nothing;
    if let Some((depth, after)) = rest.split_once('+')
        && let Some(reach) = reach(depth, text)?
    {
        parents = reach;
        rest = after;
    }
    let (method, value) = split_method(rest);
    let mut value = value;
    let mut children = Reach::Nothing;
    if let Some((before, depth)) = value.rsplit_once('+')
        && let Some(reach) = reach(depth, text)?
    {
        children = reach;
        value = before;
    }
    let method = Method::parse(
        method.unwrap_or_else(|| Method::of_shape(value)),
        value,
        text,
    )?;
    let criterion = Criterion {
        text: text.to_owned(),
        method,
        childrens_parents,
        parents,
        children,
        indirect,
    };
    check(criterion)
}

/// Refuses what contradicts itself.
pub(super) fn check(criterion: Criterion) -> Result<Criterion, Diagnostic> {
    if criterion.childrens_parents && criterion.children != Reach::Nothing {
        let message = format!(
            "the selection `{}` has both `@` before and `+` after",
            criterion.text
        );
        return Err(Diagnostic::error(codes::SELECTION, message)
            .hint("`@` takes all children already: leave the `+` out"));
    }
    Ok(criterion)
}

/// The reach of the digits beside a `+`; `None` if these are no digits, so that the plus
/// belongs to the value.
fn reach(digits: &str, whole: &str) -> Result<Option<Reach>, Diagnostic> {
    if digits.is_empty() {
        return Ok(Some(Reach::All));
    }
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(None);
    }
    match digits.parse() {
        Ok(steps) => Ok(Some(Reach::Steps(steps))),
        Err(_) => Err(Diagnostic::error(
            codes::SELECTION,
            format!("the depth `{digits}` in the selection `{whole}` is too large"),
        )
        .hint("leave the number out to take all")),
    }
}

/// `tag:x` as `tag` and `x`; a colon after anything but a method's name belongs to the value.
fn split_method(text: &str) -> (Option<&str>, &str) {
    match text.split_once(':') {
        Some((method, value))
            if !method.is_empty()
                && method
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '_' || c == '.') =>
        {
            (Some(method), value)
        }
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Criterion {
        criterion(text, IndirectSelection::Eager).unwrap()
    }

    #[test]
    fn plus_signs_reach_up_and_down() {
        let both = read("2+orders+3");
        assert_eq!(both.parents, Reach::Steps(2));
        assert_eq!(both.children, Reach::Steps(3));
        assert_eq!(both.method, Method::parse("fqn", "orders", "").unwrap());
        assert_eq!(read("+orders").parents, Reach::All);
        assert_eq!(read("+orders").children, Reach::Nothing);
        assert_eq!(read("orders+").children, Reach::All);
        assert_eq!(read("+tag:a+1").children, Reach::Steps(1));
        assert!(read("@orders").childrens_parents);
    }

    #[test]
    fn the_shape_of_a_bare_value_gives_its_method() {
        for (text, method, value) in [
            ("orders", "fqn", "orders"),
            ("shop.gold.orders", "fqn", "shop.gold.orders"),
            ("models/gold", "path", "models/gold"),
            ("Orders.SQL", "file", "Orders.SQL"),
            ("a+b", "fqn", "a+b"),
        ] {
            let expected = Method::parse(method, value, "").unwrap();
            assert_eq!(read(text).method, expected, "{text}");
        }
    }

    #[test]
    fn mistakes_are_told_with_the_nearest_word() {
        let hint = |text: &str| {
            let error = criterion(text, IndirectSelection::Eager).unwrap_err();
            error.hint.unwrap()
        };
        assert_eq!(hint("tags:nightly"), "did you mean `tag:`?");
        assert_eq!(
            hint("resource_type:models"),
            "did you mean `resource_type:model`?"
        );
        assert_eq!(hint("state:modifed"), "did you mean `state:modified`?");
        assert!(hint("@orders+").contains("leave the `+` out"));
        assert!(hint("source:a.b.c.d").contains("source:name.table"));
        assert!(hint("config:table").contains("config.materialized:table"));
        assert!(hint("99999999999999999999999+orders").contains("leave the number out"));
    }
}
