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

    /// `prefix_customer_n`, with `n` in four digits at least: ids of one customer sort as made.
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

    /// Its numbers; those that it does not have are 0.
    pub const fn parts(&self) -> [u32; 3] {
        self.parts
    }

    fn width(&self, part: usize) -> usize {
        if self.len == 2 && part == 1 { 4 } else { 1 }
    }

    /// The same numbers with another prefix.
    pub const fn with_prefix(self, prefix: &'static str) -> Self {
        Self { prefix, ..self }
    }

    /// Appends the text.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.prefix.as_bytes());
        for (i, part) in self.parts[..usize::from(self.len)].iter().enumerate() {
            out.push(b'_');
            write_number(*part, self.width(i), out);
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.write(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

fn write_number(mut n: u32, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 10];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at.min(digits.len() - width)..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_prefix_and_numbers() {
        assert_eq!(Id::of("cus", 7).to_string(), "cus_7");
        assert_eq!(Id::nth("in", 1234, 0).to_string(), "in_1234_0000");
        assert_eq!(Id::nth("in", 1, 12_345).to_string(), "in_1_12345");
        assert_eq!(
            Id::part("pe", u32::MAX, 2, 10).to_string(),
            "pe_4294967295_2_10"
        );
        assert_eq!(Id::part("pe", 9, 2, 10).to_string(), "pe_9_2_10");
    }
}
