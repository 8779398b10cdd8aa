//! How far each method is from what it is held against, kept in `docs/deviations.md`: `held` is a [`close`] whose
//! largest deviation stands there. `UPDATE=1 cargo test --test methods` writes the table anew.

use std::fs;
use std::sync::Mutex;

use super::close;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/deviations.md");

/// The columns of the table.
const NETWORKS: [&str; 5] = [
    "toy",
    "resnet18",
    "vgg11_bn",
    "efficientnet_b0",
    "efficientnet_lite0",
];

/// Tests run at once, and each writes its own cell.
static WRITING: Mutex<()> = Mutex::new(());

/// Like [`close`], and the deviation stands in the table, in the row of `method` and the column of `network`.
pub fn held(method: &str, network: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    close(
        &format!("{method} of {network}"),
        found,
        expected,
        tolerance,
    );
    let apart = deviation(found, expected);
    let column = NETWORKS
        .iter()
        .position(|&own| own == network)
        .expect(network)
        + 3;
    let _alone = WRITING
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
        cells[column] = shown(apart);
        let row_now = cells.join(" | ");
        fs::write(TABLE, table.replace(row, row_now.trim())).unwrap();
        return;
    }
    // Another processor adds in another order: the same magnitude, not the same digits.
    let told: f32 = cells[column].parse().unwrap_or_else(|_| {
        panic!("{method} of {network} is {apart:e} apart, which docs/deviations.md does not say")
    });
    assert!(told <= tolerance, "{method} of {network}: {told} is told");
    assert!(
        apart <= (30.0 * told).max(1e-6),
        "{method} of {network} is {apart:e} apart, and docs/deviations.md says {told:e}"
    );
}

/// The largest difference, of the largest magnitude expected.
fn deviation(found: &[f32], expected: &[f32]) -> f32 {
    let most = |values: &mut dyn Iterator<Item = f32>| {
        values.fold(0f32, |most, value| most.max(value.abs()))
    };
    let pairs = found.iter().zip(expected);
    most(&mut pairs.map(|(a, b)| a - b))
        / most(&mut expected.iter().copied()).max(f32::MIN_POSITIVE)
}

fn shown(apart: f32) -> String {
    match apart {
        0.0 => "0".to_owned(),
        _ => format!("{apart:.0e}"),
    }
}
