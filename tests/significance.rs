//! Whether a group's share is off, and which points form a group: against SciPy, statsmodels and scikit-learn
//! (tests/make_significance.py made the expected numbers).

use std::collections::BTreeMap;

use convscope::compare::{LogFactorials, PointSet, holm, k_means};
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    fisher: Vec<(usize, usize, usize, usize, f64)>,
    holm: Vec<(Vec<f64>, Vec<f64>)>,
    k_means: Groups,
}

#[derive(Deserialize)]
struct Groups {
    points: Vec<f32>,
    groups: Vec<usize>,
    squared_distance: f64,
}

fn expected() -> Expected {
    serde_json::from_str(include_str!("evaluation/significance.json")).unwrap()
}

#[test]
fn fishers_test_is_that_of_scipy() {
    let factorials = LogFactorials::up_to(50_000);
    for (part, part_right, whole, right, wanted) in expected().fisher {
        let found = factorials.fisher_exact(part, part_right, whole, right);
        let found = found.unwrap();
        assert!(
            (found - wanted).abs() <= 1e-7 * wanted,
            "{part} {part_right} {whole} {right}: {found} {wanted}"
        );
        // The other images differ from the group as the group from them.
        let others = factorials.fisher_exact(whole - part, right - part_right, whole, right);
        assert!((others.unwrap() - found).abs() <= 1e-7 * found);
    }
    for (part, part_right, whole, right) in [
        (3, 4, 9, 5),
        (3, 1, 2, 2),
        (3, 2, 9, 1),
        (8, 0, 9, 5),
        (1, 1, 60_000, 3),
    ] {
        assert_eq!(
            factorials.fisher_exact(part, part_right, whole, right),
            None
        );
    }
}

#[test]
fn holms_correction_is_that_of_statsmodels() {
    for (p_values, wanted) in expected().holm {
        for (found, wanted) in holm(&p_values).into_iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-12, "{p_values:?}");
        }
    }
    assert!(holm(&[]).is_empty());
}

#[test]
fn k_means_finds_the_groups_of_scikit_learn() {
    let wanted = expected().k_means;
    let points = PointSet::new(&wanted.points, 3).unwrap();
    for seed in 0..4 {
        let found = k_means(&points, 4, seed, "a test");
        assert_eq!(found, k_means(&points, 4, seed, "a test"));
        assert_eq!(found.groups, 4);
        let mut names = BTreeMap::new();
        for (own, wanted) in found.group.iter().zip(&wanted.groups) {
            assert_eq!(names.entry(own).or_insert(wanted), &wanted, "seed {seed}");
        }
        let sum: f64 = found.distance.iter().sum();
        assert!((sum - wanted.squared_distance).abs() < 1e-3 * sum);
    }
}

#[test]
fn k_means_of_few_or_equal_points_has_as_many_groups_as_there_are_points() {
    let values = [1.0, 1.0, 1.0, 5.0, 5.0];
    let points = PointSet::new(&values, 1).unwrap();
    let found = k_means(&points, 4, 0, "a test");
    assert_eq!((found.group, found.groups), (vec![0, 0, 0, 1, 1], 2));
    let none = PointSet::new(&[], 1).unwrap();
    assert_eq!(k_means(&none, 4, 0, "a test").groups, 0);
    assert_eq!(k_means(&points, 0, 0, "a test").groups, 1);
}
