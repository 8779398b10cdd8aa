//! The largest deviation of each method from its reference, in `docs/deviations.md`. `UPDATE=1 cargo test --test methods`
//! writes the table.

use std::fs;
use std::sync::Mutex;

use super::assert_close;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/deviations.md");

/// The columns of the table.
const NETWORKS: [&str; 5] = [
    "toy",
    "resnet18",
    "vgg11_bn",
    "efficientnet_b0",
    "efficientnet_lite0",
];

/// Tests run in parallel, and each writes its own cell.
static TABLE_LOCK: Mutex<()> = Mutex::new(());

/// As [`assert_close`], and the deviation must be about that of the table, in the row of `method` and the column of `network`.
pub fn assert_recorded(
    method: &str,
    network: &str,
    found: &[f32],
    expected: &[f32],
    tolerance: f32,
) {
    assert_close(
        &format!("{method} of {network}"),
        found,
        expected,
        tolerance,
    );
    let largest = deviation(found, expected);
    let column = NETWORKS
        .iter()
        .position(|&own| own == network)
        .expect(network)
        + 3;
    let _lock = TABLE_LOCK
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let table = fs::read_to_string(TABLE).unwrap();
    let name = format!("`{method}`");
    let row = table.lines().find(|line| {
        line.split('|')
            .nth(1)
            .is_some_and(|cell| cell.trim() == name)
    });
    let row = row.unwrap_or_else(|| panic!("{method} has no row in docs/deviations.md"));
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    if std::env::var_os("UPDATE").is_some() {
        let mut cells: Vec<String> = cells.iter().map(|&cell| cell.to_owned()).collect();
        cells[column] = format_deviation(largest);
        let updated = cells.join(" | ");
        fs::write(TABLE, table.replace(row, updated.trim())).unwrap();
        return;
    }
    // Another processor sums in another order: the same magnitude, not the same digits.
    let recorded: f32 = cells[column].parse().unwrap_or_else(|_| {
        panic!("{method} of {network} deviates by {largest:e}, but docs/deviations.md has no value")
    });
    assert!(
        recorded <= tolerance,
        "{method} of {network}: {recorded} is recorded"
    );
    assert!(
        largest <= (30.0 * recorded).max(1e-6),
        "{method} of {network} deviates by {largest:e}, recorded is {recorded:e}"
    );
}

/// The largest difference as a share of the largest expected magnitude.
fn deviation(found: &[f32], expected: &[f32]) -> f32 {
    let most = |values: &mut dyn Iterator<Item = f32>| {
        values.fold(0f32, |most, value| most.max(value.abs()))
    };
    let pairs = found.iter().zip(expected);
    most(&mut pairs.map(|(a, b)| a - b))
        / most(&mut expected.iter().copied()).max(f32::MIN_POSITIVE)
}

fn format_deviation(deviation: f32) -> String {
    if deviation == 0.0 {
        "0".to_owned()
    } else {
        format!("{deviation:.0e}")
    }
}
