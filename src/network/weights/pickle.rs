//! A reader of Python pickles that runs nothing.
//!
//! A pickle is a program for a stack machine, and Python's own reader lets that program call
//! anything. This machine knows the opcodes that state dicts use; of the functions and classes a
//! pickle can name it knows PyTorch's tensors and storages and the plain containers, and it refuses
//! every other *by name*, before anything else is looked at.
//!
//! Values live in one row and refer to each other by their place in it, so that depth costs nothing,
//! a cycle is no leak, and memory is bounded by the pickle's length.

mod globals;

use std::collections::BTreeMap;

use self::globals::Known;
use super::elements::{Element, View};

/// The place of a value in [`Pickle::values`].
pub(super) type Id = usize;

/// How many opcodes one pickle may have: a checkpoint of a large network has some hundred thousand.
const STEPS: usize = 8_000_000;

/// A number, a container, or a piece of a tensor.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i128),
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Known(Known),
    Storage(Storage),
    Tensor(TensorRef),
    /// A float, bytes, a set, a data type, a device: allowed, and of no use here.
    Other,
}

/// A run of numbers that the file keeps elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Storage {
    pub(super) key: String,
    /// `None` for an untyped one, which holds no tensor by itself.
    pub(super) element: Option<Element>,
    /// In numbers.
    pub(super) length: usize,
    /// Where in the storage this one begins, and how many numbers it has (old files).
    pub(super) part: Option<(usize, usize)>,
}

/// A tensor: a storage and how to look at it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TensorRef {
    pub(super) storage: Storage,
    pub(super) view: View,
}

/// Why a pickle was not read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Refused {
    /// It names this function or class.
    Global(String),
    /// It is no pickle of a state dict; the clause says why.
    Malformed(String),
}

impl From<&str> for Refused {
    fn from(clause: &str) -> Self {
        Refused::Malformed(clause.to_owned())
    }
}

type Outcome<T> = Result<T, Refused>;

/// What a pickle says.
#[derive(Debug)]
pub(super) struct Pickle {
    pub(super) values: Vec<Value>,
    pub(super) root: Id,
    /// How many bytes it took.
    pub(super) length: usize,
}

impl Pickle {
    /// Reads the pickle that `bytes` begin with.
    pub(super) fn read(bytes: &[u8]) -> Outcome<Self> {
        let mut machine = Machine {
            input: Input { bytes, at: 0 },
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: BTreeMap::new(),
            copied: 0,
        };
        for _ in 0..STEPS {
            if let Some(root) = machine.step()? {
                return Ok(Pickle {
                    values: machine.values,
                    root,
                    length: machine.input.at,
                });
            }
        }
        Err("is a pickle of too many steps".into())
    }

    /// A value; `None` for a place that is not there.
    pub(super) fn get(&self, id: Id) -> &Value {
        self.values.get(id).unwrap_or(&Value::None)
    }

    /// The value of a dict's key.
    pub(super) fn entry(&self, dict: &[(Id, Id)], key: &str) -> Option<Id> {
        let is_key = |id| matches!(self.get(id), Value::Text(text) if text == key);
        let found = dict.iter().rev().find(|(id, _)| is_key(*id));
        found.map(|&(_, value)| value)
    }
}

/// The bytes that are left.
struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Outcome<&'a [u8]> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or_else(|| Refused::from("is a pickle that ends too early"))?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Outcome<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn byte(&mut self) -> Outcome<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn length4(&mut self) -> Outcome<usize> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    fn length8(&mut self) -> Outcome<usize> {
        let length = u64::from_le_bytes(self.array()?);
        usize::try_from(length).map_err(|_| "is a pickle with a string too long".into())
    }

    fn line(&mut self) -> Outcome<String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(length) = rest.iter().position(|&byte| byte == b'\n') else {
            return Err("is a pickle that ends too early".into());
        };
        let line = self.take(length)?;
        self.at += 1;
        Ok(text(line).trim_end_matches('\r').to_owned())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

struct Machine<'a> {
    input: Input<'a>,
    values: Vec<Value>,
    stack: Vec<Id>,
    /// Heights of the stack at its marks.
    marks: Vec<usize>,
    memo: BTreeMap<usize, Id>,
    /// How many items were copied from one container to another.
    copied: usize,
}

impl Machine<'_> {
    /// One opcode; what the pickle says, if it was the last.
    fn step(&mut self) -> Outcome<Option<Id>> {
        let opcode = self.input.byte()?;
        match opcode {
            b'.' => return self.pop().map(Some),
            0x80 => {
                let protocol = self.input.byte()?;
                if protocol > 5 {
                    let clause = format!("is a pickle of protocol {protocol}; 5 is the last known");
                    return Err(Refused::Malformed(clause));
                }
            }
            0x95 => drop(self.input.take(8)?),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_mark()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'J' | b'K' | b'M' | 0x8a | 0x8b | b'I' | b'L' => self.integer(opcode)?,
            b'F' => {
                self.input.line()?;
                self.push(Value::Other);
            }
            b'G' => {
                self.input.take(8)?;
                self.push(Value::Other);
            }
            b'X' | 0x8c | 0x8d | b'T' | b'U' | b'V' | b'S' => self.string(opcode)?,
            b'B' | b'C' | 0x8e | 0x96 => {
                let length = match opcode {
                    b'B' => self.input.length4()?,
                    b'C' => usize::from(self.input.byte()?),
                    _ => self.input.length8()?,
                };
                self.input.take(length)?;
                self.push(Value::Other);
            }
            b')' => self.push(Value::Tuple(Vec::new())),
            b't' => {
                let items = self.pop_mark()?;
                self.push(Value::Tuple(items));
            }
            0x85..=0x87 => {
                let mut items = Vec::with_capacity(3);
                for _ in 0x84..opcode {
                    items.push(self.pop()?);
                }
                items.reverse();
                self.push(Value::Tuple(items));
            }
            b']' => self.push(Value::List(Vec::new())),
            b'l' => {
                let items = self.pop_mark()?;
                self.push(Value::List(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.pop_mark()?;
                self.append(items)?;
            }
            b'}' => self.push(Value::Dict(Vec::new())),
            b'd' => {
                let items = pairs(&self.pop_mark()?)?;
                self.push(Value::Dict(items));
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set(vec![(key, value)])?;
            }
            b'u' => {
                let items = pairs(&self.pop_mark()?)?;
                self.set(items)?;
            }
            0x8f => self.push(Value::Other),
            0x90 => drop(self.pop_mark()?),
            0x91 => {
                self.pop_mark()?;
                self.push(Value::Other);
            }
            b'c' => {
                let (module, name) = (self.input.line()?, self.input.line()?);
                self.global(&module, &name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Some(Value::Text(module)), Some(Value::Text(name))) =
                    (self.values.get(module), self.values.get(name))
                else {
                    return Err("is a pickle that names something by what is no name".into());
                };
                let (module, name) = (module.clone(), name.clone());
                self.global(&module, &name)?;
            }
            b'i' => {
                let (module, name) = (self.input.line()?, self.input.line()?);
                return Err(Refused::Global(format!("{module}.{name}")));
            }
            b'R' | 0x81 => {
                let (arguments, callee) = (self.pop()?, self.pop()?);
                let made = self.call(callee, arguments)?;
                self.push(made);
            }
            b'b' => {
                // State set on an object; a state dict has some on its OrderedDict (`_metadata`).
                self.pop()?;
                self.top()?;
            }
            b'Q' => {
                let id = self.pop()?;
                let storage = self.storage(id)?;
                self.push(storage);
            }
            b'h' | b'j' | b'g' => {
                let place = self.memo_place(opcode)?;
                let id = self.memo.get(&place).copied();
                let id =
                    id.ok_or_else(|| Refused::from("is a pickle that recalls what it never said"))?;
                self.stack.push(id);
            }
            b'q' | b'r' | b'p' => {
                let place = self.memo_place(opcode)?;
                let top = self.top()?;
                self.memo.insert(place, top);
            }
            0x94 => {
                let top = self.top()?;
                self.memo.insert(self.memo.len(), top);
            }
            other => {
                let clause = format!("is no pickle of a state dict (opcode 0x{other:02x})");
                return Err(Refused::Malformed(clause));
            }
        }
        Ok(None)
    }

    fn push(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    /// The lowest height the stack may be popped to.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Outcome<Id> {
        match self.stack.last() {
            Some(&top) if self.stack.len() > self.floor() => Ok(top),
            _ => Err("is a pickle that takes from an empty stack".into()),
        }
    }

    fn pop(&mut self) -> Outcome<Id> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_mark(&mut self) -> Outcome<Vec<Id>> {
        let Some(mark) = self.marks.pop() else {
            return Err("is a pickle that ends a list it never began".into());
        };
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn memo_place(&mut self, opcode: u8) -> Outcome<usize> {
        match opcode {
            b'h' | b'q' => self.input.byte().map(usize::from),
            b'j' | b'r' => self.input.length4(),
            _ => {
                let line = self.input.line()?;
                line.parse()
                    .map_err(|_| "is a pickle with a number that is none".into())
            }
        }
    }

    fn integer(&mut self, opcode: u8) -> Outcome<()> {
        let value = match opcode {
            b'J' => i128::from(i32::from_le_bytes(self.input.array()?)),
            b'K' => i128::from(self.input.byte()?),
            b'M' => i128::from(u16::from_le_bytes(self.input.array()?)),
            0x8a | 0x8b => {
                let length = match opcode {
                    0x8a => usize::from(self.input.byte()?),
                    _ => self.input.length4()?,
                };
                let bytes = self.input.take(length)?;
                if bytes.len() > 16 {
                    self.push(Value::Other);
                    return Ok(());
                }
                let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
                let mut wide = [if negative { 0xff } else { 0 }; 16];
                wide[..bytes.len()].copy_from_slice(bytes);
                i128::from_le_bytes(wide)
            }
            _ => {
                let line = self.input.line()?;
                // Protocol 0's way to write a boolean.
                if opcode == b'I' && matches!(line.as_str(), "00" | "01") {
                    self.push(Value::Bool(line == "01"));
                    return Ok(());
                }
                let digits = line.trim_end_matches('L').parse();
                digits.map_err(|_| Refused::from("is a pickle with a number that is none"))?
            }
        };
        self.push(Value::Int(value));
        Ok(())
    }

    fn string(&mut self, opcode: u8) -> Outcome<()> {
        let string = match opcode {
            b'V' => self.input.line()?,
            b'S' => self.input.line()?.trim_matches(['\'', '"']).to_owned(),
            _ => {
                let length = match opcode {
                    b'X' | b'T' => self.input.length4()?,
                    0x8c | b'U' => usize::from(self.input.byte()?),
                    _ => self.input.length8()?,
                };
                text(self.input.take(length)?)
            }
        };
        self.push(Value::Text(string));
        Ok(())
    }

    fn append(&mut self, items: Vec<Id>) -> Outcome<()> {
        let list = self.top()?;
        match self.values.get_mut(list) {
            Some(Value::List(list)) => list.extend(items),
            Some(Value::Other) => {}
            _ => return Err("is a pickle that appends to what is no list".into()),
        }
        Ok(())
    }

    fn set(&mut self, items: Vec<(Id, Id)>) -> Outcome<()> {
        let dict = self.top()?;
        match self.values.get_mut(dict) {
            Some(Value::Dict(dict)) => dict.extend(items),
            Some(Value::Other) => {}
            _ => return Err("is a pickle that sets a key of what is no dict".into()),
        }
        Ok(())
    }
}

fn pairs(items: &[Id]) -> Outcome<Vec<(Id, Id)>> {
    let (pairs, rest) = items.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("is a pickle of a dict with a key without a value".into());
    }
    Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_global_is_refused_by_its_name() {
        for (pickle, name) in [
            (
                b"\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R.".as_slice(),
                "os.system",
            ),
            (b"\x80\x04\x8c\x02nt\x8c\x06system\x93.", "nt.system"),
            (b"(S'ls'\nios\nsystem\n.", "os.system"),
            (b"ctorch\nFancyStorage\n.", "torch.FancyStorage"),
            (b"cbuiltins\neval\n.", "builtins.eval"),
        ] {
            let refused = Pickle::read(pickle).unwrap_err();
            assert_eq!(refused, Refused::Global(name.into()));
        }
    }

    #[test]
    fn containers_and_numbers_are_read() {
        // {'a': [1, -2, 70000], 'b': (True, None)}
        let bytes = b"\x80\x02}q\0(X\x01\0\0\0aq\x01]q\x02(K\x01J\xfe\xff\xff\xffJp\x11\x01\0e\
            X\x01\0\0\0bq\x03\x88N\x86q\x04u.";
        let pickle = Pickle::read(bytes).unwrap();
        assert_eq!(pickle.length, bytes.len());
        let Value::Dict(root) = pickle.get(pickle.root) else {
            panic!("no dict")
        };
        let Value::List(list) = pickle.get(pickle.entry(root, "a").unwrap()) else {
            panic!("no list")
        };
        let numbers: Vec<&Value> = list.iter().map(|&id| pickle.get(id)).collect();
        let expected = [1, -2, 70000].map(Value::Int);
        assert_eq!(numbers, expected.iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_list_copied_again_and_again_is_refused() {
        let mut bytes = b"]q\0(".to_vec();
        bytes.extend(b"NN\x86".repeat(1000));
        bytes.push(b'e');
        bytes.extend(b"ccollections\nOrderedDict\nh\0\x85R".repeat(100));
        bytes.push(b'.');
        let refused = Pickle::read(&bytes).unwrap_err();
        assert_eq!(refused, "is a pickle that copies without end".into());
    }

    #[test]
    fn a_million_nested_tuples_are_no_trouble() {
        let mut bytes = vec![b')'];
        bytes.extend(std::iter::repeat_n(0x85, 1_000_000));
        bytes.push(b'.');
        assert_eq!(Pickle::read(&bytes).unwrap().values.len(), 1_000_001);
    }
}
