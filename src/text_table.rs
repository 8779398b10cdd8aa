//! Tables in plain text; each column is as wide as its widest cell.

/// The `rows` in columns below `head`; columns of numbers are aligned to the right.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let is_number = |cell: &String| {
        cell.chars()
            .all(|c| c.is_ascii_digit() || "×.,-+ –".contains(c))
    };
    let columns: Vec<(usize, bool)> = (0..head.len())
        .map(|column| {
            let cells = || rows.iter().filter_map(|row| row.get(column));
            let width = cells().map(|cell| cell.chars().count()).max().unwrap_or(0);
            (
                width.max(head[column].chars().count()),
                cells().all(is_number),
            )
        })
        .collect();
    let line = |cells: &[String]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&columns)
            .map(|(cell, &(width, right))| {
                if right {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            })
            .collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let head: Vec<String> = head.iter().map(|&name| name.to_owned()).collect();
    let mut text = line(&head);
    rows.iter().for_each(|row| text.push_str(&line(row)));
    text
}

/// The number with its digits in groups of three: `25 557 032`.
pub fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
