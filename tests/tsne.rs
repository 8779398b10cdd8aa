//! The measures and the steps of `tsne`: against scikit-learn (tests/make_tsne.py made the golden file), against values
//! computed by hand, and each against a second, slower implementation.

use convscope::compare::{PointSet, knn_accuracy, nearest_neighbours, trustworthiness};
use convscope::embedding::{
    Affinities, assign_to_grid, gradient_descent, grid_size, initial_layout, kl_divergence,
    principal_components,
};
use convscope::progress::Silent;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    codes: Vec<f32>,
    digits: Vec<usize>,
    variance: f64,
    components: Vec<f32>,
    perplexity: f64,
    map: Vec<f32>,
    divergence: f64,
    trustworthiness: std::collections::BTreeMap<usize, f64>,
    nearest: Nearest,
    grid_cost: f64,
}

#[derive(Deserialize)]
struct Nearest {
    codes: f64,
    map: f64,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/codes_60.json")).expect("the golden file")
}

fn points(values: &[f32], dims: usize) -> PointSet<'_> {
    PointSet::new(values, dims).expect("points")
}

fn close(ours: f64, theirs: f64, tolerance: f64) {
    assert!(
        (ours - theirs).abs() <= tolerance,
        "{ours} against {theirs}"
    );
}

#[test]
fn principal_components_match_scikit_learn() {
    let golden = golden();
    let ours = principal_components(&points(&golden.codes, 64), 5).expect("components");
    assert_eq!(ours.dims, 5);
    close(ours.explained_variance, golden.variance, 1e-9);
    for (ours, theirs) in ours.values.iter().zip(&golden.components) {
        close(f64::from(ours.abs()), f64::from(*theirs), 2e-4);
    }
    // More dimensions than points: from the other product, the same distances.
    let wide = &golden.codes[..20 * 64];
    let ours = principal_components(&points(wide, 64), 50).expect("components");
    assert_eq!(ours.dims, 20);
    close(ours.explained_variance, 1.0, 1e-9);
    let kept = points(&ours.values, 20);
    for (i, j) in [(0, 1), (3, 17), (19, 5)] {
        let distance = points(wide, 64).squared_distance(i, j);
        close(kept.squared_distance(i, j), distance, 1e-3 * distance);
    }
}

#[test]
fn the_largest_coordinate_of_a_component_is_positive() {
    let golden = golden();
    let negated: Vec<f32> = golden.codes.iter().map(|value| -value).collect();
    let ours = principal_components(&points(&negated, 64), 5).expect("components");
    for component in 0..5 {
        let column = ours.values.iter().skip(component).step_by(5);
        let largest = column.copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
        assert!(largest > Some(0.0), "component {component}");
    }
}

#[test]
fn trustworthiness_matches_scikit_learn() {
    let golden = golden();
    let (codes, map) = (points(&golden.codes, 64), points(&golden.map, 2));
    for (k, theirs) in golden.trustworthiness {
        close(trustworthiness(&codes, &map, k).expect("k"), theirs, 1e-12);
    }
    assert_eq!(trustworthiness(&codes, &codes, 12).expect("k"), 1.0);
}

#[test]
fn trustworthiness_by_hand() {
    // On a line, with falling distances between neighbours; the map swaps the ends.
    let space = [0.0, 1.0, 1.9, 2.7, 3.4, 4.0];
    let map = [4.2, 1.0, 1.9, 2.7, 3.4, -0.1];
    let ours = trustworthiness(&points(&space, 1), &points(&map, 1), 1).expect("k");
    // Nearest on the map: 0 to 4 (its fourth in space), 5 to 1 (its fourth), 4 to 3 (its second). The ranks exceed k = 1 by
    // 3 + 3 + 1, times 2 / (6 · 1 · (12 − 3 − 1)).
    close(ours, 1.0 - 2.0 / 48.0 * 7.0, 1e-12);
    for k in [0, 3] {
        let error = trustworthiness(&points(&space, 1), &points(&map, 1), k).expect_err("k");
        assert!(error.message().contains("half of the 6 points"), "{error}");
    }
}

#[test]
fn knn_accuracy_matches_scikit_learn_and_a_slower_count() {
    let golden = golden();
    let codes = points(&golden.codes, 64);
    let ours = knn_accuracy(&codes, &golden.digits, 1).expect("accuracy");
    close(ours.accuracy, golden.nearest.codes, 1e-12);
    let ours = knn_accuracy(&points(&golden.map, 2), &golden.digits, 1).expect("accuracy");
    close(ours.accuracy, golden.nearest.map, 1e-12);
    // A slower implementation for larger k: all distances sorted, the neighbours' classes counted in a table.
    for k in [2, 5, 9] {
        let mut correct = 0;
        for i in 0..60 {
            let mut others: Vec<usize> = (0..60).filter(|j| *j != i).collect();
            others.sort_by(|a, b| {
                let to = |j: &usize| codes.squared_distance(i, *j);
                to(a).total_cmp(&to(b))
            });
            let mut counts = [(0, 0); 10];
            for (rank, neighbour) in others[..k].iter().enumerate() {
                let (count, first) = &mut counts[golden.digits[*neighbour]];
                if *count == 0 {
                    *first = k - rank;
                }
                *count += 1;
            }
            let majority = (0..10).max_by_key(|digit| counts[*digit]).expect("ten");
            correct += usize::from(majority == golden.digits[i]);
        }
        let ours = knn_accuracy(&codes, &golden.digits, k).expect("accuracy");
        close(ours.accuracy, f64::from(correct as u32) / 60.0, 1e-12);
    }
    let most = (0..10).map(|d| golden.digits.iter().filter(|x| **x == d).count());
    close(ours.chance, most.max().unwrap_or(0) as f64 / 60.0, 1e-12);
    assert!(knn_accuracy(&codes, &golden.digits, 60).is_err());
    assert!(knn_accuracy(&codes, &golden.digits[1..], 1).is_err());
}

#[test]
fn neighbours_are_sorted_by_distance_then_index() {
    let line = [0.0, 10.0, 11.0, 9.0];
    let found = nearest_neighbours(&points(&line, 1), 2);
    let order: Vec<Vec<usize>> = found
        .iter()
        .map(|row| row.iter().map(|n| n.point).collect())
        .collect();
    assert_eq!(order, [[3, 1], [2, 3], [1, 3], [1, 2]]);
    assert_eq!(found[0][0].squared_distance, 81.0);
    assert!(
        nearest_neighbours(&points(&line, 1), 0)
            .iter()
            .all(Vec::is_empty)
    );
    assert_eq!(nearest_neighbours(&points(&line, 1), 9)[0].len(), 3);
}

#[test]
fn kl_divergence_matches_scikit_learn() {
    let golden = golden();
    let (codes, map) = (points(&golden.codes, 64), points(&golden.map, 2));
    let p = Affinities::dense(&codes, golden.perplexity).expect("P");
    // scikit-learn takes float32 distances and a perplexity within 1e-5.
    close(
        kl_divergence(&p, &map).expect("KL"),
        golden.divergence,
        1e-4,
    );
    // If three times the perplexity reaches all other points, both are equal.
    let kl = |p: Affinities| kl_divergence(&p, &map).expect("KL");
    let sparse = kl(Affinities::new(&codes, 19.5).expect("P"));
    let dense = kl(Affinities::dense(&codes, 19.5).expect("P"));
    close(sparse, dense, 1e-12);
    for perplexity in [0.5, 59.0, f64::NAN] {
        assert!(Affinities::new(&codes, perplexity).is_err());
    }
}

#[test]
fn kl_divergence_by_hand() {
    // Three equidistant points: P is 1/6 for every pair, and so is Q of an equilateral triangle.
    let axes = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let corners = [0.0, 0.0, 1.0, 0.0, 0.5, 3f32.sqrt() / 2.0];
    let p = Affinities::dense(&points(&axes, 3), 1.9).expect("P");
    close(
        kl_divergence(&p, &points(&corners, 2)).expect("KL"),
        0.0,
        1e-6,
    );
    // On a map of 0, 0 and 3 the similarities of the pairs are 1, 1/10, 1/10: Q is 5/12, 1/24, 1/24.
    let line = [0.0, 0.0, 0.0, 0.0, 3.0, 0.0];
    let by_hand = (2.0 * (1.0f64 / 6.0 * (12.0f64 / 30.0).ln()))
        + 4.0 * (1.0f64 / 6.0 * (24.0f64 / 6.0).ln());
    close(
        kl_divergence(&p, &points(&line, 2)).expect("KL"),
        by_hand,
        1e-5,
    );
}

#[test]
fn gradient_descent_reaches_scikit_learns_divergence() {
    let golden = golden();
    let codes = points(&golden.codes, 64);
    let p = Affinities::dense(&codes, golden.perplexity).expect("P");
    let reduced = principal_components(&codes, 50).expect("components");
    // With so few points the local minimum depends on the initial layout.
    let divergences = (0..4).map(|seed| {
        let start = initial_layout(&reduced, seed).expect("layout");
        let before = kl_divergence(&p, &points(&start, 2)).expect("KL");
        let map = gradient_descent(&p, &start, 1000, &Silent).expect("map");
        let ours = kl_divergence(&p, &points(&map, 2)).expect("KL");
        assert!(ours < before / 4.0, "{ours} from {before}");
        ours
    });
    let best = divergences.fold(f64::INFINITY, f64::min);
    let theirs = golden.divergence;
    assert!(best < 1.05 * theirs, "{best} against {theirs}");
}

#[test]
fn maps_do_not_depend_on_the_number_of_threads() {
    let golden = golden();
    // Every point twice, so that many distances are equal.
    let twice = [&golden.codes[..], &golden.codes[..]].concat();
    let run = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(|| {
            let codes = points(&twice, 64);
            let p = Affinities::new(&codes, 10.0).expect("P");
            let start =
                initial_layout(&principal_components(&codes, 50).expect("components"), seed);
            gradient_descent(&p, &start.expect("layout"), 300, &Silent).expect("map")
        })
    };
    let one = run(1, 7);
    assert!(one == run(3, 7), "the map depends on the number of threads");
    assert!(one != run(1, 8), "the map does not depend on the seed");
}

#[test]
fn equal_points_and_invalid_point_sets_are_errors() {
    let same = [1.0; 20 * 4];
    let error = initial_layout(
        &principal_components(&points(&same, 4), 50).expect("components"),
        7,
    );
    assert!(
        error
            .expect_err("equal")
            .message()
            .contains("nothing to map")
    );
    assert!(PointSet::new(&[1.0, f32::NAN], 2).is_err());
    assert!(PointSet::new(&[1.0, 2.0, 3.0], 2).is_err());
    assert!(PointSet::new(&[], 0).is_err());
}

#[test]
fn the_assignment_to_the_grid_matches_scipy() {
    let golden = golden();
    let map = points(&golden.map, 2);
    let cells = assign_to_grid(&map).expect("grid");
    assert_eq!(grid_size(60), (8, 8));
    let mut taken: Vec<_> = cells.clone();
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken.len(), 60);
    assert!(cells.iter().all(|(x, y)| *x < 8 && *y < 8));
    let span = |axis: usize| {
        let along = (0..60).map(|i| f64::from(map.row(i)[axis]));
        let low = along.clone().fold(f64::INFINITY, f64::min);
        (low, along.fold(f64::NEG_INFINITY, f64::max) - low)
    };
    let (x, y) = (span(0), span(1));
    let cost = |i: usize, cell: (usize, usize)| {
        let along = |axis: usize, (low, length): (f64, f64), to: usize| {
            let from = (f64::from(map.row(i)[axis]) - low) / length;
            (from - (to as f64 + 0.5) / 8.0).powi(2)
        };
        along(0, x, cell.0) + along(1, y, cell.1)
    };
    let ours: f64 = cells.iter().enumerate().map(|(i, c)| cost(i, *c)).sum();
    close(ours, golden.grid_cost, 1e-6);
}

#[test]
fn grids_of_few_points() {
    assert_eq!(
        [1, 2, 3, 5, 800].map(grid_size),
        [(1, 1), (2, 1), (2, 2), (3, 2), (29, 28)]
    );
    assert_eq!(assign_to_grid(&points(&[], 2)).expect("grid"), []);
    assert_eq!(
        assign_to_grid(&points(&[4.0, 4.0], 2)).expect("grid"),
        [(0, 0)]
    );
    // The four corners keep their places.
    let cells =
        assign_to_grid(&points(&[9.0, 5.0, 1.0, 5.0, 1.0, 0.0, 9.0, 0.0], 2)).expect("grid");
    assert_eq!(cells, [(1, 1), (0, 1), (0, 0), (1, 0)]);
    // Equal points get distinct cells.
    let mut cells = assign_to_grid(&points(&[3.0; 10], 2)).expect("grid");
    cells.sort_unstable();
    cells.dedup();
    assert_eq!(cells.len(), 5);
}

mod method {
    //! The method on a collection, batch by batch.

    use convscope::figures::{Codes, Content, GroupedBy};
    use convscope::image::ImageFile;
    use convscope::image::Preprocess;
    use convscope::methods::{
        Batch, CollectionImage, LoadedModel, MethodOutput, MethodSpec, Scratch,
    };
    use convscope::network::labels::Labels;
    use convscope::network::{Network, node_info, random_weights, zoo};
    use convscope::progress::Silent;
    use image::{Rgb, RgbImage};
    use tch::Device;

    const COUNT: usize = 24;

    fn subject(labels: Labels) -> LoadedModel {
        let graph = zoo::find("resnet18")
            .unwrap()
            .graph(zoo::ArchOptions::default());
        let info = node_info::from_graph(&graph, 32, 32).unwrap();
        let weights = random_weights::weights(&graph);
        LoadedModel {
            id: "net".into(),
            network: Network::new(graph, weights).unwrap(),
            info,
            labels,
            task: convscope::network::Task::Classes,
            preprocess: Preprocess::imagenet(),
            device: Device::Cpu,
            seed: 7,
        }
    }

    /// An image whose colour depends on its class, with a little variation.
    fn view(at: usize) -> RgbImage {
        let part = (at * 9 % 200) as u8;
        RgbImage::from_fn(32, 32, |x, y| match at % 3 {
            0 => Rgb([255 - part / 4, (x * 3) as u8, 0]),
            1 => Rgb([0, 255 - part / 4, (y * 3) as u8]),
            _ => Rgb([(x * y / 8) as u8, 0, 255 - part / 4]),
        })
    }

    fn member(subject: &LoadedModel, at: usize, classes: usize) -> CollectionImage {
        CollectionImage {
            id: format!("image-{at}"),
            source: format!("folder/image-{at}.png"),
            show: Vec::new(),
            file: ImageFile::whole(format!("folder/image-{at}.png")),
            label: Some(subject.class(at % classes * 100)),
            labels: vec![at % classes * 100],
            groups: Vec::new(),
        }
    }

    /// The output of `method` for `COUNT` images in batches of `size`; if `resume`, each batch is observed by a new collector
    /// that resumes from the state of the last one.
    fn run_method(
        method: &str,
        layer: &str,
        size: usize,
        resume: bool,
        classes: usize,
    ) -> MethodOutput {
        let subject = subject(Labels::imagenet());
        let method: MethodSpec = serde_yaml::from_str(method).unwrap();
        let layers = [subject.network.graph().find(layer).expect(layer)];
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(folder.path(), "");
        let make = || {
            method
                .method()
                .for_collection()
                .unwrap()
                .collector(&subject, &layers, &scratch)
                .unwrap()
        };
        let mut collector = make();
        for first in (0..COUNT).step_by(size) {
            let indices = first..(first + size).min(COUNT);
            let views: Vec<RgbImage> = indices.clone().map(view).collect();
            let members: Vec<CollectionImage> =
                indices.map(|at| member(&subject, at, classes)).collect();
            let views: Vec<&RgbImage> = views.iter().collect();
            let input = subject.input(&views).unwrap();
            let values = subject.network.forward(&input, &layers).unwrap();
            if resume {
                let state = collector.state();
                collector = make();
                collector.resume(state).unwrap();
            }
            let batch = Batch {
                first,
                members: &members,
                views: &views,
                values: &values,
            };
            collector.observe(&batch).unwrap();
        }
        let mut out = MethodOutput::default();
        let member = |at: usize| member(&subject, at, classes);
        collector.finish(&member, &mut out, &Silent).unwrap();
        out
    }

    fn codes(out: &MethodOutput) -> &Codes {
        match &out.figures[0].content {
            Content::Codes(codes) => codes,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_resumed_pass_gives_the_same_result() {
        let whole = run_method("tsne: {epochs: 300}", "layer4.1.add", 8, false, 3);
        let resumed = run_method("tsne: {epochs: 300}", "layer4.1.add", 8, true, 3);
        assert_eq!(whole.tensors, resumed.tensors);
        let json = |out: &MethodOutput| serde_json::to_string(&out.figures).unwrap();
        assert_eq!(json(&whole), json(&resumed));
        let found = codes(&whole);
        assert_eq!((found.dims, found.images.len()), (512, COUNT));
        assert_eq!(found.images[23].id, "image-23");
        assert_eq!(whole.tensors[&found.codes].shape, [COUNT, 512]);
        assert_eq!(whole.tensors[&found.map].shape, [COUNT, 2]);
        assert_eq!(whole.tensors[&found.grid].shape, [COUNT, 2]);
        assert_eq!(whole.tensors[&found.thumbnails].shape, [COUNT, 48, 48, 3]);
        assert_eq!(found.codes, "net/tsne/layer4.1.add/codes");
        // The code of a layer with spatial positions is the mean over them.
        let subject = subject(Labels::imagenet());
        let layer = subject.network.graph().find("layer4.1.add").unwrap();
        let input = subject.input(&[&view(5)]).unwrap();
        let values = subject.network.forward(&input, &[layer]).unwrap();
        let mean: Vec<f32> = values[&layer]
            .mean_dim([0i64, 2, 3].as_slice(), false, tch::Kind::Float)
            .try_into()
            .unwrap();
        let kept = &whole.tensors[&found.codes].floats().unwrap()[5 * 512..6 * 512];
        for (ours, theirs) in kept.iter().zip(&mean) {
            assert!(
                (ours - theirs).abs() <= 1e-3 * theirs.abs().max(1.0),
                "{ours} {theirs}"
            );
        }
    }

    #[test]
    fn classes_of_different_colours_form_clusters() {
        let out = run_method("tsne", "layer1.0.relu_1", 7, false, 3);
        let found = codes(&out);
        let groups = found.groups.as_ref().unwrap();
        assert_eq!((groups.by, groups.names.len()), (GroupedBy::Class, 3));
        let accuracy = found.knn_accuracy.unwrap();
        assert_eq!((accuracy.images, accuracy.neighbours), (COUNT, 5));
        assert!((accuracy.chance - 1.0 / 3.0).abs() < 1e-12);
        assert!(accuracy.codes == 1.0 && accuracy.map > 0.9, "{accuracy:?}");
        assert!(
            found.trustworthiness.value > 0.7,
            "{:?}",
            found.trustworthiness
        );
        assert_eq!(found.trustworthiness.neighbours, 11);
        assert!((found.perplexity - 23.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn many_classes_are_grouped_by_superclass() {
        let out = run_method("tsne: {epochs: 100}", "avgpool", 8, false, 9);
        let found = codes(&out);
        let groups = found.groups.as_ref().unwrap();
        assert_eq!(groups.by, GroupedBy::Superclass);
        let group = |at: usize| groups.names[found.images[at].group.unwrap()].as_str();
        // Tench, black swan, Pekinese … every hundredth class.
        assert_eq!(
            [group(0), group(1), group(2)],
            ["fish_reptiles", "birds", "dogs"]
        );
        assert_eq!(found.knn_accuracy.unwrap().by, GroupedBy::Superclass);
    }

    #[test]
    fn options_that_do_not_fit_the_collection_are_errors() {
        let message = |method: &str, count: usize| {
            let method: MethodSpec = serde_yaml::from_str(method).unwrap();
            let error = method
                .method()
                .for_collection()
                .unwrap()
                .check_collection(count)
                .unwrap_err();
            format!(
                "{}; {}",
                error.message(),
                error.help_text().unwrap_or_default()
            )
        };
        assert_eq!(
            message("tsne", 3),
            "t-SNE needs at least 10 images, got 3; give a larger `collection`; a map of some hundred images is worth reading"
        );
        assert_eq!(
            message("tsne: {perplexity: 30}", 60),
            "`perplexity` must be at most 19.6 for 60 images, got 30; that is a third of the other images; `auto` takes 30, or \
             less if there are fewer images"
        );
        assert!(
            message("tsne: {neighbours: 60}", 60)
                .starts_with("`neighbours` must be below the 60 images, got 60")
        );
        let good: MethodSpec = serde_yaml::from_str("tsne").unwrap();
        let good = good.method().for_collection().unwrap();
        assert!(
            [10, 61, 800]
                .iter()
                .all(|n| good.check_collection(*n).is_ok())
        );
        for options in [
            "perplexity: 1",
            "perplexity: .nan",
            "epochs: 0",
            "neighbours: 0",
        ] {
            let method: MethodSpec = serde_yaml::from_str(&format!("tsne: {{{options}}}")).unwrap();
            assert!(method.check_ranges().is_err(), "{options}");
        }
    }
}
