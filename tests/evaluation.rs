//! The scores of networks over a labelled collection: against scikit-learn, SciPy, statsmodels, cleanlab and mpmath
//! (tests/make_evaluation.py made the expected numbers), and properties that hold for any predictions.

use std::collections::BTreeMap;

use convscope::compare::{
    Calibration, ConfidentJoint, ConfidentThresholds, Confusion, LabelledPrediction,
    RELIABILITY_BINS, auroc, average_precision, cohen_kappa, error_consistency, mcnemar_exact,
    multi_label_scores, pearson, regression_scores, wilson_interval,
};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    wilson: Vec<(usize, usize, f64, f64)>,
    mcnemar: Vec<(u64, u64, f64)>,
    truth: Vec<usize>,
    a: Vec<usize>,
    b: Vec<usize>,
    agreement: Agreement,
    confusion: Vec<(usize, usize, u64, f64)>,
    calibration: ExpectedCalibration,
    multi_label: MultiLabel,
    regression: Regression,
    confident_learning: ConfidentLearning,
}

#[derive(Deserialize)]
struct Agreement {
    kappa: f64,
    error_consistency: f64,
}

#[derive(Deserialize)]
struct ExpectedCalibration {
    confidence: Vec<f64>,
    right: Vec<bool>,
    bins: Vec<(usize, usize, Option<f64>, Option<f64>)>,
    ece: f64,
}

#[derive(Deserialize)]
struct MultiLabel {
    scores: Vec<f32>,
    positive: Vec<bool>,
    average_precision: Vec<Option<f64>>,
    auroc: Vec<Option<f64>>,
    mean_average_precision: f64,
    mean_auroc: f64,
}

#[derive(Deserialize)]
struct Regression {
    truth: Vec<f64>,
    predicted: Vec<f64>,
    r_squared: f64,
    mean_absolute_error: f64,
    pearson: f64,
}

#[derive(Deserialize)]
struct ConfidentLearning {
    labels: Vec<usize>,
    probabilities: Vec<f64>,
    thresholds: Vec<f64>,
    joint: Vec<u64>,
    issues: Vec<(usize, usize)>,
    margins: Vec<f64>,
}

fn expected() -> Expected {
    serde_json::from_str(include_str!("evaluation/expected.json")).expect("the expected numbers")
}

/// Equal up to a relative difference of 1e-12.
fn close(ours: f64, theirs: f64) {
    let difference = (ours - theirs).abs();
    assert!(
        difference <= 1e-12 * theirs.abs(),
        "{ours} against {theirs}"
    );
}

fn all_close(ours: &[Option<f64>], theirs: &[Option<f64>]) {
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        match (ours, theirs) {
            (Some(ours), Some(theirs)) => close(*ours, *theirs),
            _ => assert_eq!(ours, theirs),
        }
    }
}

fn right(predicted: &[usize], truth: &[usize]) -> Vec<bool> {
    predicted.iter().zip(truth).map(|(p, t)| p == t).collect()
}

#[test]
fn wilson_matches_statsmodels() {
    for (successes, total, low, high) in expected().wilson {
        let ours = wilson_interval(successes, total).expect("an interval");
        close(ours[0], low);
        close(ours[1], high);
    }
    // Exact at the ends, where rounding would miss them.
    for total in 1..1000 {
        assert_eq!(wilson_interval(0, total).map(|ends| ends[0]), Some(0.0));
        assert_eq!(wilson_interval(total, total).map(|ends| ends[1]), Some(1.0));
    }
    assert_eq!(wilson_interval(0, 0), None);
    assert_eq!(wilson_interval(3, 2), None);
}

#[test]
fn mcnemar_matches_statsmodels() {
    for (a, b, p) in expected().mcnemar {
        let ours = mcnemar_exact(a, b);
        assert!(
            (ours - p).abs() <= 1e-11 * p,
            "{a}, {b}: {ours} against {p}"
        );
    }
    assert_eq!(mcnemar_exact(0, 0), 1.0);
    // 2 · 2⁻¹⁰⁰⁰, and a value that float64 can't hold.
    close(mcnemar_exact(0, 1000), 2_f64.powi(-999));
    assert_eq!(mcnemar_exact(1_000_000, 0), f64::MIN_POSITIVE);
}

#[test]
fn agreement_matches_scikit_learn() {
    let golden = expected();
    let kappa = cohen_kappa(&golden.a, &golden.b).expect("κ");
    close(kappa, golden.agreement.kappa);
    let (right_a, right_b) = (
        right(&golden.a, &golden.truth),
        right(&golden.b, &golden.truth),
    );
    let consistency = error_consistency(&right_a, &right_b).expect("error consistency");
    close(consistency, golden.agreement.error_consistency);
}

#[test]
fn agreement_is_none_where_it_is_undefined() {
    assert_eq!(cohen_kappa(&[], &[]), None);
    assert_eq!(cohen_kappa(&[1, 2], &[1]), None);
    assert_eq!(cohen_kappa(&[3, 3], &[3, 3]), None);
    assert_eq!(cohen_kappa(&[3, 3], &[4, 4]), Some(0.0));
    assert_eq!(error_consistency(&[true; 3], &[true; 3]), None);
    assert_eq!(error_consistency(&[false; 3], &[false; 3]), None);
    assert_eq!(error_consistency(&[true; 3], &[false; 3]), Some(0.0));
    let (a, b) = ([true, false], [false, true]);
    assert_eq!(error_consistency(&a, &b), Some(-1.0));
    assert_eq!(error_consistency(&a, &a), Some(1.0));
}

#[test]
fn calibration_matches_the_formulas_of_the_paper() {
    let golden = expected().calibration;
    let mut calibration = Calibration::default();
    for (confidence, right) in golden.confidence.iter().zip(&golden.right) {
        calibration.add(*confidence, *right).expect("a confidence");
    }
    let bins = calibration.bins();
    assert_eq!(bins.len(), RELIABILITY_BINS);
    for (bin, (count, right, confidence, accuracy)) in bins.iter().zip(golden.bins) {
        assert_eq!((bin.count, bin.right), (count, right));
        all_close(
            &[bin.mean_confidence, bin.accuracy],
            &[confidence, accuracy],
        );
    }
    close(calibration.ece().expect("the error"), golden.ece);
    assert_eq!(calibration.count(), golden.confidence.len());
}

#[test]
fn calibration_takes_only_probabilities() {
    let mut calibration = Calibration::default();
    assert_eq!(calibration.ece(), None);
    assert!(calibration.bins().iter().all(|bin| bin.accuracy.is_none()));
    for wrong in [f64::NAN, f64::INFINITY, -0.01, 1.01] {
        let error = calibration.add(wrong, true).expect_err("no probability");
        assert!(error.message().contains("0 to 1"), "{error}");
    }
    assert_eq!(calibration.count(), 0);
    // A softmax's rounding.
    calibration.add(1.000_000_1, true).expect("a confidence");
    assert_eq!(calibration.bins()[14].mean_confidence, Some(1.0));
}

#[test]
fn confusion_matches_scikit_learn() {
    let golden = expected();
    let (mut confusion, mut second_half) = (Confusion::default(), Confusion::default());
    for (at, (truth, predicted)) in golden.truth.iter().zip(&golden.b).enumerate() {
        let part = if at < 90 {
            &mut confusion
        } else {
            &mut second_half
        };
        part.add(*truth, *predicted);
    }
    confusion.append(&second_half);
    let all = confusion.most_confused(1000);
    assert_eq!(all.len(), golden.confusion.len());
    for (pair, (truth, predicted, count, share)) in all.iter().zip(golden.confusion) {
        let ours = (pair.truth, pair.predicted, pair.count);
        assert_eq!(ours, (truth, predicted, count));
        close(pair.share, share);
    }
    assert_eq!(confusion.most_confused(5), all[..5]);
    assert_eq!(Confusion::default().most_confused(5), []);
    let sizes: u64 = confusion.class_sizes().values().sum();
    assert_eq!(sizes, 200);
}

#[test]
fn a_folded_confusion_matrix_counts_groups() {
    let mut confusion = Confusion::default();
    for pair in [(0, 1), (1, 0), (1, 2), (2, 2), (2, 0)] {
        confusion.add(pair.0, pair.1);
    }
    let folded = confusion.folded(&[0, 0, 1]).expect("groups");
    let entries: Vec<_> = folded.entries().collect();
    assert_eq!(entries, [(0, 0, 2), (0, 1, 1), (1, 0, 1), (1, 1, 1)]);
    let error = confusion.folded(&[0, 0]).expect_err("a class too few");
    assert_eq!(error.message(), "class 2 is in no group: 2 are given");
}

#[test]
fn multi_label_scores_match_scikit_learn() {
    let golden = expected().multi_label;
    let ours = multi_label_scores(&golden.scores, &golden.positive, 6).expect("scores");
    all_close(&ours.average_precision, &golden.average_precision);
    all_close(&ours.auroc, &golden.auroc);
    let means = [ours.mean_average_precision, ours.mean_auroc];
    let expected = [golden.mean_average_precision, golden.mean_auroc];
    all_close(&means, &expected.map(Some));
}

#[test]
fn multi_label_scores_of_few_or_wrong_values() {
    let none = multi_label_scores(&[], &[], 2).expect("no images");
    assert_eq!(none.average_precision, [None, None]);
    assert_eq!((none.mean_average_precision, none.mean_auroc), (None, None));
    assert!(multi_label_scores(&[0.5, 0.1], &[true], 1).is_err());
    assert!(multi_label_scores(&[0.5, 0.1], &[true, false], 0).is_err());
    assert!(multi_label_scores(&[0.5, 0.1, 0.2], &[true; 3], 2).is_err());
    let error = multi_label_scores(&[0.5, f32::NAN], &[true; 2], 2).expect_err("NaN");
    assert_eq!(error.message(), "a score of class 1 is NaN");
    assert_eq!(average_precision(&[f32::NAN], &[true]), None);
    assert_eq!(average_precision(&[1.0], &[]), None);
    // 0 and −0 are equal.
    assert_eq!(auroc(&[0.0, -0.0], &[true, false]), Some(0.5));
    assert_eq!(average_precision(&[-0.0, 0.0], &[true, false]), Some(0.5));
    assert_eq!(auroc(&[f32::INFINITY, 0.0], &[true, false]), Some(1.0));
}

#[test]
fn regression_matches_scikit_learn() {
    let golden = expected().regression;
    let ours = regression_scores(&golden.truth, &golden.predicted).expect("scores");
    close(ours.r_squared.expect("R²"), golden.r_squared);
    let error = ours.mean_absolute_error.expect("an error");
    close(error, golden.mean_absolute_error);
    close(ours.pearson.expect("a correlation"), golden.pearson);
}

#[test]
fn regression_of_few_or_wrong_values() {
    let none = regression_scores(&[], &[]).expect("no images");
    assert_eq!((none.r_squared, none.mean_absolute_error), (None, None));
    // The mean of these is a rounding error above them.
    let constant = regression_scores(&[0.1; 3], &[0.1, 0.2, 0.3]).expect("scores");
    assert_eq!((constant.r_squared, constant.pearson), (None, None));
    close(constant.mean_absolute_error.expect("an error"), 0.1);
    let huge = regression_scores(&[1e300, -1e300], &[1e300, 0.0]).expect("scores");
    assert_eq!((huge.r_squared, huge.pearson), (None, None));
    let error = regression_scores(&[1.0], &[1.0, 2.0]).expect_err("lengths");
    assert_eq!(error.message(), "got 2 predicted values for 1 true ones");
    let error = regression_scores(&[1.0, 2.0], &[1.0, f64::NAN]).expect_err("NaN");
    let message = "predicted value 1 is NaN, not a finite number";
    assert_eq!(error.message(), message);
    assert_eq!(pearson(&[1.0, f64::NAN], &[1.0, 2.0]), None);
}

/// The classes of each image and their probabilities, most probable first.
fn likeliest(golden: &ConfidentLearning) -> Vec<Vec<(usize, f64)>> {
    let rows = golden.probabilities.chunks(golden.thresholds.len());
    rows.map(|row| {
        let mut classes: Vec<_> = row.iter().copied().enumerate().collect();
        classes.sort_by(|a, b| b.1.total_cmp(&a.1));
        classes
    })
    .collect()
}

/// The confident joint from the `kept` most probable classes of each image.
fn joint(golden: &ConfidentLearning, kept: usize) -> ConfidentJoint {
    let classes = golden.thresholds.len();
    let mut thresholds = ConfidentThresholds::new(classes);
    let own = |image: usize| golden.probabilities[image * classes + golden.labels[image]];
    for (image, label) in golden.labels.iter().enumerate() {
        thresholds.add(*label, own(image)).expect("a probability");
    }
    let mut joint = thresholds.into_joint();
    for (image, likeliest) in likeliest(golden).iter().enumerate() {
        let prediction = LabelledPrediction {
            label: golden.labels[image],
            self_confidence: own(image),
            likeliest: &likeliest[..kept],
        };
        joint.add(&prediction).expect("a prediction");
    }
    joint
}

#[test]
fn confident_learning_matches_cleanlab() {
    let golden = expected().confident_learning;
    let classes = golden.thresholds.len();
    let joint = joint(&golden, classes);
    let theirs: Vec<_> = golden.thresholds.iter().copied().map(Some).collect();
    all_close(joint.thresholds(), &theirs);
    let mut counts = vec![0; classes * classes];
    for (label, class, count) in joint.entries() {
        counts[label * classes + class] = count;
    }
    assert_eq!(counts, golden.joint);
    assert_eq!(joint.undecided(), 0);
    let issues = joint.into_issues();
    let found: Vec<_> = issues.iter().map(|i| (i.image, i.suggested)).collect();
    assert_eq!(found, golden.issues);
    for (issue, margin) in issues.iter().zip(golden.margins) {
        assert!((issue.margin - margin).abs() < 1e-12);
        assert_eq!(issue.label, golden.labels[issue.image]);
    }
}

/// With the most probable classes alone, what is counted is right, and what can't be known is said.
#[test]
fn confident_learning_of_the_most_probable_classes() {
    let golden = expected().confident_learning;
    let whole = joint(&golden, golden.thresholds.len()).into_issues();
    let mut undecided = Vec::new();
    for kept in [3, 2, 1, 0] {
        let joint = joint(&golden, kept);
        let missing = joint.undecided();
        undecided.push(missing);
        let issues = joint.into_issues();
        assert!(issues.len() + missing >= whole.len());
        let found: BTreeMap<_, _> = issues.iter().map(|i| (i.image, i)).collect();
        let known = whole.iter().filter(|i| found.contains_key(&i.image));
        assert_eq!(known.count(), issues.len());
        for issue in &whole {
            if let Some(found) = found.get(&issue.image) {
                assert_eq!(*found, issue);
            }
        }
    }
    assert!(undecided.is_sorted(), "{undecided:?}");
    assert!(undecided[0] < undecided[3], "{undecided:?}");
}

#[test]
fn confident_learning_of_special_cases() {
    // Equal probabilities reach their mean, though it is rounded; a class without images is never suggested.
    let mut thresholds = ConfidentThresholds::new(3);
    for _ in 0..3 {
        thresholds.add(0, 0.1).expect("a probability");
    }
    assert_eq!(thresholds.thresholds()[1..], [None, None]);
    let mut joint = thresholds.into_joint();
    let prediction = LabelledPrediction {
        label: 0,
        self_confidence: 0.1,
        likeliest: &[(2, 0.6), (1, 0.3), (0, 0.1)],
    };
    joint.add(&prediction).expect("a prediction");
    assert_eq!(joint.entries().collect::<Vec<_>>(), [(0, 0, 1)]);
    let none = ConfidentThresholds::new(0).into_joint();
    assert_eq!(none.into_issues(), []);
}

/// An image is undecided only if a class that is left out can be the one that it counts as.
#[test]
fn confident_learning_knows_what_was_left_out() {
    type Case<'a> = ([Option<f64>; 3], f64, &'a [(usize, f64)], usize);
    let cases: [Case; 6] = [
        // Class 2 may have 0.45 and reach 0.2; it can't where class 1 leaves less.
        ([Some(0.05), Some(0.9), Some(0.2)], 0.05, &[(1, 0.5)], 1),
        ([Some(0.05), Some(0.95), Some(0.02)], 0.05, &[(1, 0.9)], 0),
        ([Some(0.5), Some(0.9), Some(0.5)], 0.1, &[(1, 0.8)], 0),
        // It is not among the likeliest, so at most 0.2.
        ([Some(0.5), Some(0.9), Some(0.5)], 0.1, &[(1, 0.2)], 0),
        // The label's probability is known.
        ([Some(0.3), Some(0.9), None], 0.1, &[(1, 0.6)], 0),
        ([Some(0.3), Some(0.9), Some(0.3)], 0.1, &[(1, 0.6)], 1),
    ];
    for (means, self_confidence, likeliest, undecided) in cases {
        let mut thresholds = ConfidentThresholds::new(3);
        for (class, mean) in means.iter().enumerate() {
            if let Some(mean) = mean {
                thresholds.add(class, *mean).expect("a probability");
            }
        }
        let mut joint = thresholds.into_joint();
        let prediction = LabelledPrediction {
            label: 0,
            self_confidence,
            likeliest,
        };
        joint.add(&prediction).expect("a prediction");
        assert_eq!(joint.undecided(), undecided, "{means:?} {prediction:?}");
        let counted = undecided == 0 && Some(self_confidence) == means[0];
        assert_eq!(joint.entries().count(), usize::from(counted));
    }
}

#[test]
fn confident_learning_refuses_wrong_predictions() {
    let mut thresholds = ConfidentThresholds::new(2);
    for (label, probability) in [(2, 0.5), (0, f64::NAN), (0, -0.1), (0, 1.1)] {
        assert!(thresholds.add(label, probability).is_err());
    }
    thresholds.add(0, 0.5).expect("a probability");
    let mut joint = thresholds.into_joint();
    type Case<'a> = (usize, &'a [(usize, f64)], &'a str);
    let cases: [Case; 5] = [
        (0, &[(2, 0.5)], "class 2 is not one of the 2 classes"),
        (2, &[], "class 2 is not one of the 2 classes"),
        (1, &[], "class 1 had no image in the first pass"),
        (0, &[(0, 0.2), (1, 0.8)], "not in the order"),
        (0, &[(0, f64::NAN)], "must be from 0 to 1, got NaN"),
    ];
    for (label, likeliest, message) in cases {
        let prediction = LabelledPrediction {
            label,
            self_confidence: 0.5,
            likeliest,
        };
        let error = joint.add(&prediction).expect_err(message);
        assert!(error.message().contains(message), "{error}");
    }
    assert_eq!((joint.entries().count(), joint.undecided()), (0, 0));
}

proptest! {
    #[test]
    fn kappa_is_symmetric_and_bounded(pairs in prop::collection::vec((0..4_usize, 0..4_usize), 0..40)) {
        let (a, b): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let kappa = cohen_kappa(&a, &b);
        prop_assert_eq!(kappa, cohen_kappa(&b, &a));
        prop_assert!(kappa.is_none_or(|kappa| (-1.0..=1.0).contains(&kappa)));
        let constant = a.windows(2).all(|pair| pair[0] == pair[1]);
        prop_assert_eq!(kappa.is_none(), a.is_empty() || (constant && a == b));
        let (one, other) = (right(&a, &b), right(&b, &vec![0; b.len()]));
        let consistency = error_consistency(&one, &other);
        prop_assert_eq!(consistency, error_consistency(&other, &one));
        prop_assert!(consistency.is_none_or(|kappa| (-1.0..=1.0).contains(&kappa)));
    }

    #[test]
    fn p_values_are_symmetric_and_fall_with_the_difference(a in 0..5000_u64, b in 0..5000_u64) {
        let p = mcnemar_exact(a, b);
        prop_assert!(p > 0.0 && p <= 1.0);
        prop_assert_eq!(p, mcnemar_exact(b, a));
        let (small, large) = (a.min(b), a.max(b));
        prop_assert!(mcnemar_exact(small, large + 1) <= p);
    }

    #[test]
    fn intervals_contain_the_share(total in 1..100_000_usize, part in 0.0..=1.0_f64) {
        let successes = (total as f64 * part) as usize;
        let [low, high] = wilson_interval(successes, total).expect("an interval");
        let share = successes as f64 / total as f64;
        prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
        prop_assert!(low < high);
    }

    /// The error is at most 1, and right predictions with full confidence have none.
    #[test]
    fn calibration_errors_are_bounded(images in prop::collection::vec((0.0..=1.0_f64, any::<bool>()), 1..60)) {
        let (mut calibration, mut sure) = (Calibration::default(), Calibration::default());
        for (confidence, right) in images {
            calibration.add(confidence, right).expect("a confidence");
            sure.add(f64::from(right), right).expect("a confidence");
        }
        prop_assert!((0.0..=1.0).contains(&calibration.ece().expect("an error")));
        prop_assert_eq!(sure.ece(), Some(0.0));
        for bin in calibration.bins() {
            let mean = bin.mean_confidence.unwrap_or(bin.high);
            prop_assert!(bin.low - 1e-12 <= mean && mean <= bin.high + 1e-12);
        }
    }

    /// Turning the order round turns the area round; a perfect order has the area and the precision 1.
    #[test]
    fn ranking_scores_follow_the_order(images in prop::collection::vec((-5..5_i8, any::<bool>()), 0..40)) {
        let (scores, positive): (Vec<_>, Vec<_>) = images.into_iter().unzip();
        let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
        let turned: Vec<f32> = scores.iter().map(|score| -score).collect();
        let both = auroc(&scores, &positive).zip(auroc(&turned, &positive));
        prop_assert!(both.is_none_or(|(one, other)| (one + other - 1.0).abs() < 1e-12));
        let perfect: Vec<f32> = positive.iter().map(|&positive| positive.into()).collect();
        prop_assert!(auroc(&perfect, &positive).is_none_or(|area| area == 1.0));
        let precision = average_precision(&perfect, &positive);
        prop_assert_eq!(precision, positive.contains(&true).then_some(1.0));
        let precision = average_precision(&scores, &positive);
        prop_assert!(precision.is_none_or(|precision| precision > 0.0 && precision <= 1.0));
    }
}
