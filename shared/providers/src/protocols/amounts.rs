//! Amounts in minor units, written as decimal numbers.

/// The currencies that have another number of decimals than two (ISO 4217).
const DECIMALS: &[(&str, usize)] = &[
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

/// An amount of that currency, from its minor units: 1050 US dollars' cents are `10.50`.
pub(crate) fn decimal(minor: i64, currency: &str) -> String {
    let decimals = DECIMALS.iter().find(|(name, _)| *name == currency).map_or(2, |(_, decimals)| *decimals);
    let (sign, digits) = (if minor < 0 { "-" } else { "" }, minor.unsigned_abs().to_string());
    if decimals == 0 {
        return format!("{sign}{digits}");
    }
    let digits = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    format!("{sign}{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn an_amount_has_as_many_decimals_as_its_currency() {
        for (minor, currency, expected) in [
            (1050, "USD", "10.50"),
            (5, "EUR", "0.05"),
            (0, "CAD", "0.00"),
            (-205, "GBP", "-2.05"),
            (1050, "JPY", "1050"),
            (-7, "KRW", "-7"),
            (1050, "KWD", "1.050"),
            (i64::MIN, "XXX", "-92233720368547758.08"),
        ] {
            assert_eq!(decimal(minor, currency), expected, "{minor} {currency}");
        }
    }
}
