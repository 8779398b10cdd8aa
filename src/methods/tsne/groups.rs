//! ImageNet's 1000 classes in eight groups: a sample of the set may have one image a class, and then the
//! classes themselves say nothing about which images lie together.
//!
//! ILSVRC 2012 counts its classes in the order of WordNet's tree for the animals (fish 0–6, birds 7–24, …),
//! by the alphabet for the things (abacus 398 to yurt 915), then food, scenes and plants. The animals'
//! ranges follow from that order; vehicles, which the alphabet scatters, are listed one by one. Both
//! were set by reading the 1000 names.

use std::ops::RangeInclusive;

use GroupKey::*;

/// A group; its name stands in the report's word list as `group.…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKey {
    FishReptiles,
    Birds,
    Invertebrates,
    Dogs,
    Mammals,
    Vehicles,
    FoodPlants,
    Things,
}

impl GroupKey {
    /// Every group, in the order of their numbers.
    pub const ALL: [GroupKey; 8] = [
        FishReptiles,
        Birds,
        Invertebrates,
        Dogs,
        Mammals,
        Vehicles,
        FoodPlants,
        Things,
    ];

    /// The group's key in the word list, behind `group.`.
    pub fn word(self) -> &'static str {
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

    /// The group of an ImageNet class, by its index.
    pub fn of(class: usize) -> GroupKey {
        let found = RANGES.iter().find(|(range, _)| range.contains(&class));
        match found {
            Some((_, group)) => *group,
            None if VEHICLES.binary_search(&class).is_ok() => Vehicles,
            None => Things,
        }
    }
}

const RANGES: &[(RangeInclusive<usize>, GroupKey)] = &[
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

/// What carries people or goods, over land, water or through the air, in rising order.
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
    fn every_class_has_the_group_that_its_name_says() {
        let labels = Labels::imagenet();
        for (group, names) in [
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
                assert_eq!(GroupKey::of(class), group, "{name}");
            }
        }
    }

    #[test]
    fn groups_are_neither_empty_nor_doubled() {
        assert!(VEHICLES.is_sorted());
        for class in 0..1000 {
            let ranges = RANGES.iter().filter(|(range, _)| range.contains(&class));
            let listed = VEHICLES.binary_search(&class).is_ok();
            assert!(ranges.count() + usize::from(listed) <= 1, "{class}");
        }
        let sizes =
            GroupKey::ALL.map(|group| (0..1000).filter(|c| GroupKey::of(*c) == group).count());
        assert_eq!(sizes.iter().sum::<usize>(), 1000);
        assert!(sizes.iter().all(|size| *size >= 55), "{sizes:?}");
        assert_eq!(
            GroupKey::ALL.map(|group| group as usize),
            [0, 1, 2, 3, 4, 5, 6, 7]
        );
    }
}
