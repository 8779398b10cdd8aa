//! Eight superclasses of ImageNet's 1000 classes, for samples that have about one image of each class.
//!
//! ILSVRC 2012 orders its classes by WordNet's tree for the animals (fish 0–6, birds 7–24, …), by the alphabet for
//! objects (abacus 398 to yurt 915), then food, scenes and plants. The animals' ranges follow from that order; vehicles,
//! which the alphabet scatters, are listed one by one. Both were chosen by reading the 1000 names.

use std::ops::RangeInclusive;

use Superclass::*;

/// A superclass; its name in the report's word files is `group.` and its [`key`](Self::key).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Superclass {
    /// Fish, amphibians and reptiles.
    FishReptiles,
    /// Birds.
    Birds,
    /// Invertebrates.
    Invertebrates,
    /// Dogs.
    Dogs,
    /// Mammals other than dogs.
    Mammals,
    /// Vehicles.
    Vehicles,
    /// Food, plants and fungi.
    FoodPlants,
    /// All other classes: objects, buildings, landscapes.
    Things,
}

impl Superclass {
    /// All superclasses, in the order of their discriminants.
    pub const ALL: [Superclass; 8] = [
        FishReptiles,
        Birds,
        Invertebrates,
        Dogs,
        Mammals,
        Vehicles,
        FoodPlants,
        Things,
    ];

    /// The key of its name in the word files, after `group.`.
    pub fn key(self) -> &'static str {
        match self {
            FishReptiles => "fish_reptiles",
            Birds => "birds",
            Invertebrates => "invertebrates",
            Dogs => "dogs",
            Mammals => "mammals",
            Vehicles => "vehicles",
            FoodPlants => "food_plants",
            Things => "things",
        }
    }

    /// The superclass of the ImageNet class with index `class`.
    pub fn for_class(class: usize) -> Superclass {
        let found = RANGES.iter().find(|(range, _)| range.contains(&class));
        match found {
            Some((_, superclass)) => *superclass,
            None if VEHICLES.binary_search(&class).is_ok() => Vehicles,
            None => Things,
        }
    }
}

const RANGES: &[(RangeInclusive<usize>, Superclass)] = &[
    // Tench to stingray; barracouta to puffer.
    (0..=6, FishReptiles),
    (389..=397, FishReptiles),
    // Salamanders, frogs, turtles, lizards, crocodiles, snakes.
    (25..=68, FishReptiles),
    // Cock to great grey owl; black grouse to black swan; white stork to albatross.
    (7..=24, Birds),
    (80..=100, Birds),
    (127..=146, Birds),
    // Trilobite, arachnids, centipede; jellyfish to isopod; beetles to sea cucumber.
    (69..=79, Invertebrates),
    (107..=126, Invertebrates),
    (300..=329, Invertebrates),
    // Chihuahua to Mexican hairless.
    (151..=268, Dogs),
    // Tusker to wombat; whales and seals; wolves to meerkat; hares to giant panda.
    (101..=106, Mammals),
    (147..=150, Mammals),
    (269..=299, Mammals),
    (330..=388, Mammals),
    // Guacamole to pomegranate; carbonara to potpie and burrito, wine, espresso, eggnog.
    (924..=957, FoodPlants),
    (959..=967, FoodPlants),
    (969..=969, FoodPlants),
    // Rapeseed to bolete, ear (of corn).
    (984..=998, FoodPlants),
];

/// Vehicles on land, water and in the air, in ascending order.
const VEHICLES: &[usize] = &[
    403, 404, 405, 407, 408, 417, 436, 444, 450, 466, 468, 472, 484, 510, 511, 537, 547, 554, 555,
    561, 565, 569, 573, 575, 576, 586, 595, 603, 609, 612, 625, 627, 628, 654, 656, 661, 665, 670,
    671, 675, 690, 705, 717, 724, 734, 751, 757, 779, 780, 802, 803, 812, 814, 817, 820, 829, 833,
    847, 856, 864, 866, 867, 870, 871, 874, 880, 895, 914,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::labels::Labels;

    #[test]
    fn superclasses_fit_the_class_names() {
        let labels = Labels::imagenet();
        for (superclass, names) in [
            (
                FishReptiles,
                ["tench", "puffer", "sea snake", "tailed frog"],
            ),
            (Birds, ["cock", "great grey owl", "peacock", "albatross"]),
            (
                Invertebrates,
                ["tarantula", "hermit crab", "monarch", "sea cucumber"],
            ),
            (
                Dogs,
                ["Chihuahua", "Mexican hairless", "bull mastiff", "pug"],
            ),
            (Mammals, ["wombat", "sea lion", "meerkat", "giant panda"]),
            (Vehicles, ["airliner", "jeep", "yawl", "moped"]),
            (FoodPlants, ["guacamole", "daisy", "bolete", "eggnog"]),
            (Things, ["abacus", "yurt", "cup", "volcano"]),
        ] {
            for name in names {
                let class = labels.resolve(name).expect(name);
                assert_eq!(Superclass::for_class(class), superclass, "{name}");
            }
        }
    }

    #[test]
    fn superclasses_are_disjoint_and_not_small() {
        assert!(VEHICLES.is_sorted());
        for class in 0..1000 {
            let ranges = RANGES.iter().filter(|(range, _)| range.contains(&class));
            let listed = VEHICLES.binary_search(&class).is_ok();
            assert!(ranges.count() + usize::from(listed) <= 1, "{class}");
        }
        let sizes = Superclass::ALL.map(|superclass| {
            (0..1000)
                .filter(|c| Superclass::for_class(*c) == superclass)
                .count()
        });
        assert_eq!(sizes.iter().sum::<usize>(), 1000);
        assert!(sizes.iter().all(|size| *size >= 55), "{sizes:?}");
        assert_eq!(
            Superclass::ALL.map(|superclass| superclass as usize),
            [0, 1, 2, 3, 4, 5, 6, 7]
        );
    }
}
