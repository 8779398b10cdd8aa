//! How a language writes numbers, from the `number.…` keys of its word file.

/// The signs of a language's numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberFormat {
    /// Between the whole part and the decimals.
    decimal: String,
    /// Between groups of three digits.
    thousands: String,
    minus: String,
    /// `{number} %`: where the sign stands and how far off.
    percent: String,
}

impl Default for NumberFormat {
    fn default() -> Self {
        NumberFormat::new(|_| None)
    }
}

impl NumberFormat {
    /// The format from the texts at `number.decimal`, `number.thousands`, `number.minus` and `number.percent`; the
    /// English one where there are none.
    pub fn new(text: impl Fn(&str) -> Option<String>) -> NumberFormat {
        let text = |key: &str, default: &str| text(key).unwrap_or_else(|| default.to_owned());
        NumberFormat {
            decimal: text("number.decimal", "."),
            thousands: text("number.thousands", "\u{202f}"),
            minus: text("number.minus", "−"),
            percent: text("number.percent", "#\u{a0}%"),
        }
    }

    /// The whole number that `text` is in this format; `None` for any other text.
    pub fn parse_integer(&self, text: &str) -> Option<u64> {
        text.replace(&self.thousands, "").parse().ok()
    }

    /// `value` with `digits` decimals.
    pub fn fixed(&self, value: f64, digits: usize) -> String {
        self.localise(&format!("{value:.digits$}"))
    }

    /// The same with a minus sign, and none before a zero.
    pub fn signed(&self, value: f64, digits: usize) -> String {
        let number = self.fixed(value.abs(), digits);
        let zero = !number.chars().any(|c| ('1'..='9').contains(&c));
        if value < 0.0 && !zero {
            format!("{}{number}", self.minus)
        } else {
            number
        }
    }

    /// A whole number in groups of three digits.
    pub fn integer(&self, value: u64) -> String {
        let digits = value.to_string();
        let mut grouped = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                grouped.push_str(&self.thousands);
            }
            grouped.push(digit);
        }
        grouped
    }

    /// Three significant digits; with a power of ten below 0.001 and from 100 000 on.
    pub fn number(&self, value: f64) -> String {
        if value == 0.0 {
            return "0".to_owned();
        }
        if !value.is_finite() {
            return value.to_string();
        }
        let exponent = value.abs().log10().floor() as i32;
        if (-3..5).contains(&exponent) {
            let digits = usize::try_from(2 - exponent).unwrap_or(0);
            return self.localise(&format!("{value:.digits$}"));
        }
        let scientific = format!("{value:.2e}");
        let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let superscript: String = power
            .chars()
            .map(|c| match c.to_digit(10) {
                Some(digit) => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize],
                None => '⁻',
            })
            .collect();
        format!("{}·10{superscript}", self.localise(mantissa))
    }

    /// A share, 0 to 1, in per cent with one decimal; `< 0.1` and `> 99.9` where it would round to 0 or 100.
    pub fn percent(&self, share: f64) -> String {
        let percent = share * 100.0;
        if percent > 0.0 && percent < 0.05 {
            self.with_percent_sign(&format!("< {}", self.fixed(0.1, 1)))
        } else if share < 1.0 && percent >= 99.95 {
            self.with_percent_sign(&format!("> {}", self.fixed(99.9, 1)))
        } else {
            self.with_percent_sign(&self.fixed(percent, 1))
        }
    }

    /// A share, 0 to 1, in per cent with `digits` decimals.
    pub fn percent_fixed(&self, share: f64, digits: usize) -> String {
        self.with_percent_sign(&self.signed(share * 100.0, digits))
    }

    /// `25.6 M`, `4.1 G`: with the prefix that leaves one to three digits before the decimal sign.
    pub fn prefixed(&self, value: u64) -> String {
        let (divisor, prefix) = match value {
            1_000_000_000.. => (1e9, "\u{a0}G"),
            1_000_000.. => (1e6, "\u{a0}M"),
            1_000.. => (1e3, "\u{a0}k"),
            _ => return value.to_string(),
        };
        format!("{}{prefix}", self.fixed(value as f64 / divisor, 1))
    }

    fn with_percent_sign(&self, number: &str) -> String {
        self.percent.replace('#', number)
    }

    /// A number in Rust's format with the language's signs.
    fn localise(&self, number: &str) -> String {
        let signed = number.replace('-', &self.minus);
        signed.replace('.', &self.decimal)
    }
}
