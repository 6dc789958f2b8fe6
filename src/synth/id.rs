//! Text ids such as `in_1234_7`: a prefix, the customer's number, and up to two numbers within it.

use std::fmt;

/// An id that is kept as numbers and written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    prefix: &'static str,
    parts: [u32; 3],
    len: u8,
}

impl Id {
    /// `prefix_customer`.
    pub const fn of(prefix: &'static str, customer: u32) -> Self {
        Self {
            prefix,
            parts: [customer, 0, 0],
            len: 1,
        }
    }

    /// `prefix_customer_n`.
    pub const fn nth(prefix: &'static str, customer: u32, n: u32) -> Self {
        Self {
            prefix,
            parts: [customer, n, 0],
            len: 2,
        }
    }

    /// `prefix_customer_n_m`.
    pub const fn part(prefix: &'static str, customer: u32, n: u32, m: u32) -> Self {
        Self {
            prefix,
            parts: [customer, n, m],
            len: 3,
        }
    }

    /// The same numbers with another prefix.
    pub const fn with_prefix(self, prefix: &'static str) -> Self {
        Self { prefix, ..self }
    }

    /// Appends the text.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.prefix.as_bytes());
        for part in &self.parts[..usize::from(self.len)] {
            out.push(b'_');
            write_number(*part, out);
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix)?;
        self.parts[..usize::from(self.len)]
            .iter()
            .try_for_each(|p| write!(f, "_{p}"))
    }
}

fn write_number(mut n: u32, out: &mut Vec<u8>) {
    let mut digits = [0u8; 10];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_prefix_and_numbers() {
        for id in [
            Id::of("cus", 7),
            Id::nth("in", 1234, 0),
            Id::part("pe", u32::MAX, 2, 10),
        ] {
            let mut out = Vec::new();
            id.write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), id.to_string());
        }
        assert_eq!(Id::part("pe", 9, 2, 10).to_string(), "pe_9_2_10");
    }
}
