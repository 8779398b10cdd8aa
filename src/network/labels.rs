//! The names of a network's classes, and the lookup of a class by name, WordNet id or index.

use std::collections::HashMap;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::label_file::{self, Class};
use crate::error::{Error, ErrorKind, Result, nearest};

/// Index, WordNet id and name of ImageNet's 1000 classes (ILSVRC 2012), one class a line.
const IMAGENET: &str = include_str!("imagenet_classes.tsv");

/// The largest number of candidates that an error lists.
const LISTED: usize = 8;

/// The names of a network's classes, by index. Clones share them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    classes: Arc<ClassList>,
    /// Whether the classes have names of their own; otherwise they are `class 0`, `class 1`, …
    named: bool,
}

/// Classes, with a table of their names that is made for the first lookup: a large set of images looks up a class for each.
#[derive(Debug)]
struct ClassList {
    classes: Vec<Class>,
    names: OnceLock<ClassNames>,
}

/// The indices of the classes by each of their names, in the form of [`normalised`].
#[derive(Debug, Default)]
struct ClassNames {
    wnids: HashMap<String, Vec<usize>>,
    whole: HashMap<String, Vec<usize>>,
    synonyms: HashMap<String, Vec<usize>>,
}

impl ClassList {
    fn new(classes: Vec<Class>) -> Arc<Self> {
        Arc::new(ClassList {
            classes,
            names: OnceLock::new(),
        })
    }

    fn names(&self) -> &ClassNames {
        self.names.get_or_init(|| {
            let mut names = ClassNames::default();
            for (index, class) in self.classes.iter().enumerate() {
                if let Some(wnid) = &class.wnid {
                    names.wnids.entry(wnid.clone()).or_default().push(index);
                }
                let whole = names.whole.entry(normalised(&class.name));
                whole.or_default().push(index);
                for synonym in class.name.split(',') {
                    let own = names.synonyms.entry(normalised(synonym)).or_default();
                    if own.last() != Some(&index) {
                        own.push(index);
                    }
                }
            }
            names
        })
    }
}

impl Deref for ClassList {
    type Target = [Class];

    fn deref(&self) -> &[Class] {
        &self.classes
    }
}

impl PartialEq for ClassList {
    fn eq(&self, other: &Self) -> bool {
        self.classes == other.classes
    }
}

impl Eq for ClassList {}

impl Labels {
    /// ImageNet's 1000 classes, with their WordNet ids.
    pub fn imagenet() -> Labels {
        static PARSED: OnceLock<Arc<ClassList>> = OnceLock::new();
        let classes = PARSED.get_or_init(|| {
            let classes = IMAGENET
                .lines()
                .skip(1)
                .filter_map(|line| {
                    let mut parts = line.split('\t').skip(1);
                    let wnid = parts.next()?.to_owned();
                    let name = parts.next()?.to_owned();
                    Some(Class {
                        name,
                        wnid: Some(wnid),
                    })
                })
                .collect();
            ClassList::new(classes)
        });
        Labels {
            classes: Arc::clone(classes),
            named: true,
        }
    }

    /// Reads a file with the names of all classes: text with one name a line, JSON (a list of names, a map from index to name,
    /// or from name to index) or CSV (a column of names, and one of indices if the rows are in another order). A WordNet id
    /// before a name is the class's id; one without a name is named as in ImageNet.
    ///
    /// # Errors
    /// If the file can't be read, is not UTF-8, is empty or has none of these forms, if a class has no name, or if an index is
    /// missing or is there twice.
    pub fn from_file(path: &Path) -> Result<Labels> {
        let mut classes = label_file::read(path)?;
        let imagenet = Labels::imagenet();
        for class in &mut classes {
            if let Some(wnid) = class.wnid.as_ref().filter(|wnid| **wnid == class.name) {
                let known = imagenet.classes.iter();
                let same = |other: &&Class| other.wnid.as_ref() == Some(wnid);
                if let Some(known) = known.clone().find(same) {
                    class.name.clone_from(&known.name);
                }
            }
        }
        Ok(Labels {
            classes: ClassList::new(classes),
            named: true,
        })
    }

    /// Classes with these names. Names of ImageNet's 1000 classes, as torchvision and timm have them, are replaced by
    /// [`imagenet`](Self::imagenet), so that networks of different sources have the same classes.
    pub fn from_names(names: Vec<String>) -> Labels {
        let imagenet = Labels::imagenet();
        let first = |name: &str| normalised(name.split(',').next().unwrap_or_default());
        let pairs = names.iter().zip(imagenet.classes.iter());
        let same = pairs.filter(|(name, class)| first(name) == first(&class.name));
        // Two names differ between torchvision and timm.
        if names.len() == imagenet.len() && same.count() + 10 >= imagenet.len() {
            return imagenet;
        }
        let named = |(index, name): (usize, String)| Class {
            name: match name.trim() {
                "" => format!("class {index}"),
                name => name.to_owned(),
            },
            wnid: None,
        };
        Labels {
            classes: ClassList::new(names.into_iter().enumerate().map(named).collect()),
            named: true,
        }
    }

    /// `count` classes without names of their own: `class 0`, `class 1`, …
    pub fn numbered(count: usize) -> Labels {
        let classes = (0..count)
            .map(|index| Class {
                name: format!("class {index}"),
                wnid: None,
            })
            .collect();
        Labels {
            classes: ClassList::new(classes),
            named: false,
        }
    }

    /// The number of classes.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there are no classes.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// The class's name: `bull mastiff`; `class 1000` for an index beyond the list.
    pub fn name(&self, index: usize) -> String {
        match self.classes.get(index) {
            Some(class) => class.name.clone(),
            None => format!("class {index}"),
        }
    }

    /// The class's WordNet id, `n02108422`, if the list has them.
    pub fn wnid(&self, index: usize) -> Option<&str> {
        self.classes.get(index)?.wnid.as_deref()
    }

    /// The index of the class that `text` names: by its name (in lower or upper case, with spaces or underscores), one of
    /// its names if they are separated by commas, its WordNet id, its index in digits, or consecutive words
    /// of it that occur in no other name. A WordNet id of ImageNet also names the class with ImageNet's name for it, in a list
    /// without ids.
    ///
    /// # Errors
    /// If no class matches (with the nearest name), or several do (with their indices).
    pub fn resolve(&self, text: &str) -> Result<usize> {
        let wanted = normalised(text);
        if wanted.is_empty() {
            return Err(Error::new(
                ErrorKind::Spec,
                "a class must be a name, a WordNet id or an index, got an empty text",
            ));
        }
        let digits = wanted.bytes().all(|byte| byte.is_ascii_digit());
        let mut found = self.matching(&wanted, !digits);
        if found.is_empty() {
            found = self.by_imagenet_name(&wanted);
        }
        match found[..] {
            [index] => Ok(index),
            [] if digits => self.by_index(&wanted),
            [] => Err(self.unknown(text, &wanted)),
            ref several => Err(self.ambiguous(text, several)),
        }
    }

    /// Every class that matches `text` as in [`Labels::resolve`], but not by index.
    pub fn resolve_all(&self, text: &str) -> Vec<usize> {
        self.matching(&normalised(text), true)
    }

    /// The one class whose whole name or WordNet id is `text`: for texts that may not be a class, such as a folder's
    /// name.
    pub fn exact(&self, text: &str) -> Option<usize> {
        match self.matching(&normalised(text), false)[..] {
            [index] => Some(index),
            _ => None,
        }
    }

    /// The classes that match `wanted` by the first of four criteria with a match: the WordNet id, the whole name,
    /// one of its synonyms, and, if `parts`, some of its words.
    fn matching(&self, wanted: &str, parts: bool) -> Vec<usize> {
        if wanted.is_empty() {
            return Vec::new();
        }
        let names = self.classes.names();
        for known in [&names.wnids, &names.whole, &names.synonyms] {
            if let Some(found) = known.get(wanted) {
                return found.clone();
            }
        }
        if !parts {
            return Vec::new();
        }
        let words: Vec<&str> = wanted.split(' ').collect();
        let within = |class: &Class| {
            let name = normalised(&class.name.replace(',', " "));
            let name: Vec<&str> = name.split(' ').collect();
            name.windows(words.len()).any(|part| part == words)
        };
        let all = self.classes.iter().enumerate();
        all.filter(|(_, class)| within(class))
            .map(|(index, _)| index)
            .collect()
    }

    /// The classes with the name that ImageNet has for a WordNet id, or with one of its synonyms.
    fn by_imagenet_name(&self, wnid: &str) -> Vec<usize> {
        let is_wnid = wnid.strip_prefix('n').is_some_and(|digits| {
            digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit())
        });
        let imagenet = Labels::imagenet();
        let class = is_wnid.then(|| imagenet.classes.names().wnids.get(wnid));
        let Some([class]) = class.flatten().map(Vec::as_slice) else {
            return Vec::new();
        };
        self.matching(&normalised(&imagenet.name(*class)), false)
    }

    /// The class with that index.
    /// The class with the index that `digits` are.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn by_index(&self, digits: &str) -> Result<usize> {
        match digits.parse::<usize>() {
            Ok(index) if index < self.len() => Ok(index),
            _ => Err(Error::new(
                ErrorKind::Spec,
                format!("there is no class {digits} among {} classes", self.len()),
            )
            .help(match self.len() {
                0 => "the list of classes is empty".to_owned(),
                count => format!("indices are 0 to {}", count - 1),
            })),
        }
    }

    fn ambiguous(&self, text: &str, several: &[usize]) -> Error {
        let mut listed: Vec<String> = several
            .iter()
            .take(LISTED)
            .map(|&index| match self.wnid(index) {
                Some(wnid) => format!("{index} ({}, {wnid})", self.name(index)),
                None => format!("{index} ({})", self.name(index)),
            })
            .collect();
        if several.len() > LISTED {
            listed.push(format!("and {} more", several.len() - LISTED));
        }
        let message = format!("`{text}` matches {} classes", several.len());
        Error::new(ErrorKind::Spec, message)
            .help(format!("name one by its index: {}", listed.join(", ")))
    }

    fn unknown(&self, text: &str, wanted: &str) -> Error {
        let error = Error::new(ErrorKind::Spec, format!("there is no class `{text}`"));
        if !self.named {
            return error.help(
                "the classes have no names: give the model `labels`, or name a class by its index",
            );
        }
        let names = self.classes.iter().flat_map(|class| class.name.split(','));
        match nearest(wanted, names.map(str::trim)) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help("a class is a name, a WordNet id or an index"),
        }
    }
}

/// `text` in lower case, with single spaces for underscores and spaces.
fn normalised(text: &str) -> String {
    let text = text.replace('_', " ").to_lowercase();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
