//! The steps of t-SNE for many images, against exact computations and openTSNE (tests/make_atlas.py made the golden file), and
//! the method `atlas`.

use convscope::compare::PointSet;
use convscope::embedding::{
    Affinities, EXACT_POINTS, NeighbourGraph, PointChunks, assign_to_grid, gradient_descent,
    grid_size, interpolated_kl_divergence, kl_divergence, principal_components,
    streamed_principal_components,
};
use convscope::error::Result;
use convscope::progress::Silent;
use convscope::rng::mix64;
use serde::Deserialize;

const DIMS: usize = 20;
const CLUSTERS: usize = 40;

#[derive(Deserialize)]
struct Golden {
    divergence: f64,
    first: Vec<f32>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/atlas.json")).expect("the golden file")
}

/// From −1 to 1.
fn uniform(index: usize) -> f64 {
    (mix64(index as u64) >> 40) as f64 / f64::from(1 << 23) - 1.0
}

/// The points of tests/make_atlas.py.
fn clusters(count: usize) -> Vec<f32> {
    let value = |row: usize, column: usize| {
        let centre = uniform(1_000_000 + row % CLUSTERS * DIMS + column);
        let own = uniform(row * DIMS + column + 1);
        ((2.0 * centre + own) * 4.0 / (column + 4) as f64) as f32
    };
    let rows = (0..count).flat_map(|row| (0..DIMS).map(move |column| (row, column)));
    rows.map(|(row, column)| value(row, column)).collect()
}

fn points(values: &[f32], dims: usize) -> PointSet<'_> {
    PointSet::new(values, dims).expect("points")
}

fn in_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("threads").install(work)
}

#[test]
fn most_neighbours_are_found_whatever_the_threads() {
    let values = clusters(4000);
    let set = points(&values, DIMS);
    let exact = NeighbourGraph::exact(&set, 30);
    let find = |threads| in_threads(threads, || NeighbourGraph::approximate(&set, 30));
    let (one, three) = (find(1), find(3));
    let mut found = 0;
    for point in 0..set.len() {
        assert_eq!(one.neighbours(point), three.neighbours(point));
        assert_eq!(one.squared_distances(point), three.squared_distances(point));
        let own = one.neighbours(point).iter();
        found += own
            .filter(|other| exact.neighbours(point).contains(other))
            .count();
        assert!(one.squared_distances(point).is_sorted(), "{point}");
        let distance = set.squared_distance(point, one.neighbours(point)[0] as usize);
        assert!((one.squared_distances(point)[0] - distance).abs() < 1e-5 * distance.max(1.0));
    }
    let recall = found as f64 / (30 * set.len()) as f64;
    assert!(recall > 0.98, "{recall}");
}

#[test]
fn neighbours_of_few_and_of_equal_points() {
    let same = vec![1.0; 300 * 3];
    let graph = NeighbourGraph::approximate(&points(&same, 3), 5);
    for point in 0..300 {
        let mut own = graph.neighbours(point).to_vec();
        own.sort_unstable();
        own.dedup();
        assert_eq!(own.len(), 5);
        assert!(!own.contains(&(point as u32)));
        assert_eq!(graph.squared_distances(point), [0.0; 5]);
    }
    let line = [0.0, 10.0, 11.0, 9.0];
    let graph = NeighbourGraph::approximate(&points(&line, 1), 9);
    let order: Vec<&[u32]> = (0..4).map(|point| graph.neighbours(point)).collect();
    assert_eq!(order, [[3, 1, 2], [2, 3, 0], [1, 3, 0], [1, 2, 0]]);
    assert_eq!(
        NeighbourGraph::approximate(&points(&[1.0], 1), 3).width(),
        0
    );
}

#[test]
fn a_large_map_reaches_open_tsnes_divergence() {
    let golden = golden();
    let values = clusters(5200);
    let first: Vec<f32> = [0, 1, 2, DIMS, DIMS + 1, DIMS + 2]
        .map(|at| values[at])
        .to_vec();
    assert_eq!(first, golden.first);
    assert!(values.len() / DIMS > EXACT_POINTS);
    let p = Affinities::new(&points(&values, DIMS), 30.0).expect("P");
    // As tests/make_atlas.py: the first two coordinates, the first with a standard deviation of 1e-4.
    let mean = |axis: usize| {
        values
            .iter()
            .skip(axis)
            .step_by(DIMS)
            .map(|x| f64::from(*x))
            .sum::<f64>()
            / 5200.0
    };
    let means = [mean(0), mean(1)];
    let variance = values
        .iter()
        .step_by(DIMS)
        .map(|x| (f64::from(*x) - means[0]).powi(2));
    let scale = 1e-4 / (variance.sum::<f64>() / 5200.0).sqrt();
    let start: Vec<f32> = (0..5200)
        .flat_map(|row| [0, 1].map(|axis| f64::from(values[row * DIMS + axis])))
        .map(|x| (x * scale) as f32)
        .collect();
    let map = gradient_descent(&p, &start, 500, &Silent).expect("map");
    let map = points(&map, 2);
    let exact = kl_divergence(&p, &map).expect("KL");
    let interpolated = interpolated_kl_divergence(&p, &map).expect("KL");
    assert!(
        (exact - interpolated).abs() < 2e-3,
        "{exact} {interpolated}"
    );
    let theirs = golden.divergence;
    assert!(exact < 1.02 * theirs, "{exact} against {theirs}");
}

#[test]
fn a_large_map_does_not_depend_on_the_number_of_threads() {
    let values = clusters(EXACT_POINTS + 1);
    let run = |threads| {
        in_threads(threads, || {
            let set = points(&values, DIMS);
            let components = principal_components(&set, 2).expect("components");
            let p = Affinities::new(&set, 10.0).expect("P");
            let start = convscope::embedding::initial_layout(&components, 7).expect("layout");
            gradient_descent(&p, &start, 30, &Silent).expect("map")
        })
    };
    assert!(run(1) == run(3));
}

#[test]
fn many_points_get_cells_nearly_as_near_as_the_best() {
    let map: Vec<f32> = clusters(1700)
        .chunks_exact(DIMS)
        .flat_map(|row| [row[0] + 0.3 * row[2], row[1] - 0.2 * row[3]])
        .collect();
    let cost = |count: usize| {
        let own = points(&map[..2 * count], 2);
        let cells = assign_to_grid(&own).expect("grid");
        let (columns, rows) = grid_size(count);
        let mut taken = cells.clone();
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), count);
        let sides = [columns, rows];
        let mut sum = 0.0;
        for axis in 0..2 {
            let along: Vec<f64> = (0..count).map(|at| f64::from(own.row(at)[axis])).collect();
            let low = along.iter().copied().fold(f64::INFINITY, f64::min);
            let high = along.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for (x, cell) in along.iter().zip(&cells) {
                let cell = [cell.0, cell.1][axis];
                assert!(cell < sides[axis]);
                let middle = (cell as f64 + 0.5) / sides[axis] as f64;
                sum += ((x - low) / (high - low) - middle).powi(2);
            }
        }
        sum / count as f64
    };
    // The best assignment up to 1600 points, and one more by order and exchanges.
    let (best, near) = (cost(1600), cost(1601));
    assert!(near < 1.12 * best, "{near} against {best}");
}

/// Rows in memory, in chunks of a given number.
struct Rows<'a>(&'a [f32], usize);

impl PointChunks for Rows<'_> {
    fn len(&self) -> usize {
        self.0.len() / DIMS
    }

    fn dims(&self) -> usize {
        DIMS
    }

    fn for_each(&self, read: &mut dyn FnMut(&[f32]) -> Result<()>) -> Result<()> {
        self.0.chunks(self.1 * DIMS).try_for_each(read)
    }
}

#[test]
fn components_of_chunks_are_those_of_all_points() {
    let mut values = clusters(500);
    let whole = principal_components(&points(&values, DIMS), 6).expect("components");
    for chunk in [7, 128, 500] {
        let ours = streamed_principal_components(&Rows(&values, chunk), 6).expect("components");
        assert_eq!(ours.dims, 6);
        assert!((ours.explained_variance - whole.explained_variance).abs() < 1e-9);
        for (ours, whole) in ours.values.iter().zip(&whole.values) {
            assert!((ours - whole).abs() < 1e-4, "{ours} {whole}");
        }
    }
    values[70 * DIMS + 3] = f32::NAN;
    let error = streamed_principal_components(&Rows(&values, 64), 6).expect_err("NaN");
    assert!(
        error.message().contains("coordinate 3 of point 6"),
        "{error}"
    );
}

mod method {
    //! The method on a collection, batch by batch.

    use convscope::figures::{Atlas, Content, GroupedBy};
    use convscope::image::{ImageFile, Preprocess};
    use convscope::methods::{
        Batch, CollectionImage, LoadedModel, MethodOutput, MethodSpec, Scratch,
    };
    use convscope::network::labels::Labels;
    use convscope::network::{Network, node_info, random_weights, zoo};
    use convscope::progress::Silent;
    use image::{Rgb, RgbImage};
    use tch::Device;

    const COUNT: usize = 24;
    const METHOD: &str = "atlas: {layers: [avgpool], neighbours: 3, epochs: 100}";

    fn subject() -> LoadedModel {
        let graph = zoo::find("resnet18")
            .unwrap()
            .graph(zoo::ArchOptions::default());
        let info = node_info::from_graph(&graph, 32, 32).unwrap();
        let weights = random_weights::weights(&graph);
        LoadedModel {
            id: "net".into(),
            network: Network::new(graph, weights).unwrap(),
            info,
            labels: Labels::imagenet(),
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

    /// The last image has no label.
    fn member(subject: &LoadedModel, at: usize) -> CollectionImage {
        CollectionImage {
            id: format!("image-{at}"),
            source: format!("folder/image-{at}.png"),
            show: Vec::new(),
            file: ImageFile::whole(format!("folder/image-{at}.png")),
            label: (at + 1 < COUNT).then(|| subject.class(at % 3 * 100)),
            labels: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// How the images come to the collector.
    #[derive(Clone, Copy, PartialEq)]
    enum Way {
        Whole,
        /// Each batch is observed by a new collector that resumes from the state of the last one.
        Resumed,
        /// Each batch is observed by a collector of its own, whose state is appended.
        InParts,
    }

    fn run(method: &str, size: usize, way: Way) -> MethodOutput {
        let subject = subject();
        let method: MethodSpec = serde_yaml::from_str(method).unwrap();
        let layers = [subject.network.graph().find("avgpool").unwrap()];
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let scratch = Scratch::new(folder.path(), name);
            let method = method.method().for_collection().unwrap();
            method.collector(&subject, &layers, &scratch).unwrap()
        };
        let mut collector = make("first-");
        for first in (0..COUNT).step_by(size) {
            let indices = first..(first + size).min(COUNT);
            let views: Vec<RgbImage> = indices.clone().map(view).collect();
            let members: Vec<CollectionImage> = indices.map(|at| member(&subject, at)).collect();
            let views: Vec<&RgbImage> = views.iter().collect();
            let input = subject.input(&views).unwrap();
            let values = subject.network.forward(&input, &layers).unwrap();
            let batch = Batch {
                first,
                members: &members,
                views: &views,
                values: &values,
            };
            match way {
                Way::Whole => collector.observe(&batch).unwrap(),
                Way::Resumed => {
                    let state = collector.state();
                    collector = make(&format!("from-{first}-"));
                    collector.resume(state).unwrap();
                    collector.observe(&batch).unwrap();
                }
                Way::InParts => {
                    let mut part = make(&format!("part-{first}-"));
                    part.observe(&batch).unwrap();
                    collector.append(part.state()).unwrap();
                }
            }
        }
        let mut out = MethodOutput::default();
        let member = |at: usize| member(&subject, at);
        collector.finish(&member, &mut out, &Silent).unwrap();
        out
    }

    fn atlas(out: &MethodOutput) -> &Atlas {
        match &out.figures[0].content {
            Content::Atlas(atlas) => atlas,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_atlas_has_a_row_for_each_image() {
        let out = run(METHOD, 8, Way::Whole);
        let found = atlas(&out);
        assert_eq!((found.count, found.dims, found.sample), (COUNT, 512, COUNT));
        let shape = |key: &str| &out.tensors[key].shape[..];
        assert_eq!(shape(&found.map), [COUNT, 2]);
        assert_eq!(shape(&found.grid), [COUNT, 2]);
        assert_eq!(shape(&found.codes), [COUNT, found.components]);
        assert_eq!(shape(&found.neighbours), [COUNT, 3]);
        assert_eq!(shape(&found.thumbnails), [COUNT, 48, 48, 3]);
        let images = out.tensors[&found.images].floats().unwrap();
        assert_eq!(&images[..6], [0.0, 0.0, 1.0, 100.0, 2.0, 200.0]);
        assert_eq!(images[2 * COUNT - 1], -1.0);
        let ids = String::from_utf8(out.tensors[&found.ids].bytes().unwrap().to_vec()).unwrap();
        assert_eq!(ids.lines().nth(5), Some("image-5"));
        assert_eq!(ids.lines().count(), COUNT);
        assert_eq!(found.classes.len(), 3);
        assert_eq!(found.groups.as_ref().unwrap().by, GroupedBy::Class);
        assert_eq!(found.group_of_class, [0, 1, 2]);
        // The nearest images by the codes that are stored, the lower index first.
        let codes = out.tensors[&found.codes].floats().unwrap();
        let codes = super::points(codes, found.components);
        let near = out.tensors[&found.neighbours].floats().unwrap();
        for image in 0..COUNT {
            let mut others: Vec<usize> = (0..COUNT).filter(|other| *other != image).collect();
            others.sort_by(|a, b| {
                let to = |other: &usize| codes.squared_distance(image, *other);
                to(a).total_cmp(&to(b)).then(a.cmp(b))
            });
            let ours: Vec<usize> = (0..3).map(|k| near[3 * image + k] as usize).collect();
            assert_eq!(ours, others[..3]);
        }
        let accuracy = found.knn_accuracy.unwrap();
        assert_eq!(accuracy.images, COUNT - 1);
        assert!(accuracy.codes > accuracy.chance, "{accuracy:?}");
    }

    #[test]
    fn resumed_passes_and_passes_in_parts_give_the_same_atlas() {
        let whole = run(METHOD, 8, Way::Whole);
        for way in [Way::Resumed, Way::InParts] {
            let other = run(METHOD, 8, way);
            assert!(whole.tensors == other.tensors);
            assert_eq!(atlas(&whole).divergence, atlas(&other).divergence);
        }
    }

    #[test]
    fn options_that_do_not_fit_the_collection_are_errors() {
        let check = |method: &str, count: usize| {
            let method: MethodSpec = serde_yaml::from_str(method).unwrap();
            let collection = method.method().for_collection().unwrap();
            collection.check_collection(count)
        };
        assert!(check("atlas", 100).is_ok());
        for (method, count, part) in [
            ("atlas", 9, "at least 10 images, got 9"),
            (
                "atlas: {perplexity: 40}",
                100,
                "at most 33 for 100 images, got 40",
            ),
            ("atlas: {neighbours: 20}", 20, "below the 20 images, got 20"),
        ] {
            let error = check(method, count).expect_err(method);
            assert!(error.message().contains(part), "{error}");
        }
    }
}
