//! The stack machine: executes the opcodes of a pickle and returns its value.

use std::collections::BTreeMap;

use super::value::{PickleError, PickleResult, PickleValue, ValueId};

/// The largest number of opcodes of a pickle: a checkpoint of a large network has some hundred thousand.
const MAX_OPCODES: usize = 8_000_000;

/// The values of a pickle that was read.
#[derive(Debug)]
pub(crate) struct Pickle {
    /// All values, in the order in which they were built.
    pub(crate) values: Vec<PickleValue>,
    /// The value of the whole pickle.
    pub(crate) root: ValueId,
    /// Its length in bytes.
    pub(crate) length: usize,
}

impl Pickle {
    /// Reads the pickle at the start of `bytes`.
    ///
    /// # Errors
    /// If it is truncated or malformed, or names a function or class that is not allowed.
    pub(crate) fn read(bytes: &[u8]) -> PickleResult<Self> {
        let mut machine = Machine {
            input: Input { bytes, at: 0 },
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: BTreeMap::new(),
            copied: 0,
        };
        for _ in 0..MAX_OPCODES {
            if let Some(root) = machine.step()? {
                return Ok(Pickle {
                    values: machine.values,
                    root,
                    length: machine.input.at,
                });
            }
        }
        Err("is a pickle of more than 8 million opcodes".into())
    }

    /// A value; [`PickleValue::None`] if there is none at `id`.
    pub(crate) fn get(&self, id: ValueId) -> &PickleValue {
        self.values.get(id).unwrap_or(&PickleValue::None)
    }

    /// The value of `key` in a dict's entries.
    pub(crate) fn entry(&self, dict: &[(ValueId, ValueId)], key: &str) -> Option<ValueId> {
        let is_key = |id| matches!(self.get(id), PickleValue::Text(text) if text == key);
        let found = dict.iter().rev().find(|(id, _)| is_key(*id));
        found.map(|&(_, value)| value)
    }
}

/// The bytes of a pickle, read from the front.
pub(super) struct Input<'a> {
    pub(super) bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> PickleResult<&'a [u8]> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or_else(|| PickleError::from("is a truncated pickle"))?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> PickleResult<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn byte(&mut self) -> PickleResult<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn length4(&mut self) -> PickleResult<usize> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    fn length8(&mut self) -> PickleResult<usize> {
        let length = u64::from_le_bytes(self.array()?);
        usize::try_from(length).map_err(|_| "is a pickle with a string that is too long".into())
    }

    fn line(&mut self) -> PickleResult<String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(length) = rest.iter().position(|&byte| byte == b'\n') else {
            return Err("is a truncated pickle".into());
        };
        let line = self.take(length)?;
        self.at += 1;
        Ok(text(line).trim_end_matches('\r').to_owned())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The stack machine.
pub(super) struct Machine<'a> {
    pub(super) input: Input<'a>,
    pub(super) values: Vec<PickleValue>,
    stack: Vec<ValueId>,
    /// The stack's height at each mark.
    marks: Vec<usize>,
    memo: BTreeMap<usize, ValueId>,
    /// The number of items that were copied from one container to another.
    pub(super) copied: usize,
}

impl Machine<'_> {
    /// Executes one opcode; returns the pickle's value if it was the last.
    #[expect(clippy::too_many_lines, reason = "a table of opcodes")]
    fn step(&mut self) -> PickleResult<Option<ValueId>> {
        let opcode = self.input.byte()?;
        match opcode {
            b'.' => return self.pop().map(Some),
            0x80 => {
                let protocol = self.input.byte()?;
                if protocol > 5 {
                    let clause = format!("is a pickle of protocol {protocol}; allowed are 0 to 5");
                    return Err(PickleError::Malformed(clause));
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
            b'N' => self.push(PickleValue::None),
            0x88 => self.push(PickleValue::Bool(true)),
            0x89 => self.push(PickleValue::Bool(false)),
            b'J' | b'K' | b'M' | 0x8a | 0x8b | b'I' | b'L' => self.integer(opcode)?,
            b'F' => {
                self.input.line()?;
                self.push(PickleValue::Other);
            }
            b'G' => {
                self.input.take(8)?;
                self.push(PickleValue::Other);
            }
            b'X' | 0x8c | 0x8d | b'T' | b'U' | b'V' | b'S' => self.string(opcode)?,
            b'B' | b'C' | 0x8e | 0x96 => {
                let length = match opcode {
                    b'B' => self.input.length4()?,
                    b'C' => usize::from(self.input.byte()?),
                    _ => self.input.length8()?,
                };
                self.input.take(length)?;
                self.push(PickleValue::Other);
            }
            b')' => self.push(PickleValue::Tuple(Vec::new())),
            b't' => {
                let items = self.pop_mark()?;
                self.push(PickleValue::Tuple(items));
            }
            0x85..=0x87 => {
                let mut items = Vec::with_capacity(3);
                for _ in 0x84..opcode {
                    items.push(self.pop()?);
                }
                items.reverse();
                self.push(PickleValue::Tuple(items));
            }
            b']' => self.push(PickleValue::List(Vec::new())),
            b'l' => {
                let items = self.pop_mark()?;
                self.push(PickleValue::List(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.pop_mark()?;
                self.append(items)?;
            }
            b'}' => self.push(PickleValue::Dict(Vec::new())),
            b'd' => {
                let items = pairs(&self.pop_mark()?)?;
                self.push(PickleValue::Dict(items));
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
            0x8f => self.push(PickleValue::Other),
            0x90 => drop(self.pop_mark()?),
            0x91 => {
                self.pop_mark()?;
                self.push(PickleValue::Other);
            }
            b'c' => {
                let (module, name) = (self.input.line()?, self.input.line()?);
                self.global(&module, &name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Some(PickleValue::Text(module)), Some(PickleValue::Text(name))) =
                    (self.values.get(module), self.values.get(name))
                else {
                    return Err("is a pickle that names a function or class by a value that is not a string".into());
                };
                let (module, name) = (module.clone(), name.clone());
                self.global(&module, &name)?;
            }
            b'i' => {
                let (module, name) = (self.input.line()?, self.input.line()?);
                return Err(PickleError::Global(format!("{module}.{name}")));
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
                let key = self.memo_key(opcode)?;
                let id = self.memo.get(&key).copied();
                let id = id.ok_or_else(|| {
                    PickleError::from("is a pickle that reads a memo entry it never set")
                })?;
                self.stack.push(id);
            }
            b'q' | b'r' | b'p' => {
                let key = self.memo_key(opcode)?;
                let top = self.top()?;
                self.memo.insert(key, top);
            }
            0x94 => {
                let top = self.top()?;
                self.memo.insert(self.memo.len(), top);
            }
            other => {
                let clause = format!("is not a pickle of a state dict (opcode 0x{other:02x})");
                return Err(PickleError::Malformed(clause));
            }
        }
        Ok(None)
    }

    pub(super) fn push(&mut self, value: PickleValue) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    /// The height of the stack at the last mark, below which nothing may be popped.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> PickleResult<ValueId> {
        match self.stack.last() {
            Some(&top) if self.stack.len() > self.floor() => Ok(top),
            _ => Err("is a pickle that pops from an empty stack".into()),
        }
    }

    fn pop(&mut self) -> PickleResult<ValueId> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_mark(&mut self) -> PickleResult<Vec<ValueId>> {
        let Some(mark) = self.marks.pop() else {
            return Err("is a pickle that pops a mark it never set".into());
        };
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn memo_key(&mut self, opcode: u8) -> PickleResult<usize> {
        match opcode {
            b'h' | b'q' => self.input.byte().map(usize::from),
            b'j' | b'r' => self.input.length4(),
            _ => {
                let line = self.input.line()?;
                line.parse()
                    .map_err(|_| "is a pickle with a malformed number".into())
            }
        }
    }

    fn integer(&mut self, opcode: u8) -> PickleResult<()> {
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
                    self.push(PickleValue::Other);
                    return Ok(());
                }
                let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
                let mut wide = [if negative { 0xff } else { 0 }; 16];
                wide[..bytes.len()].copy_from_slice(bytes);
                i128::from_le_bytes(wide)
            }
            _ => {
                let line = self.input.line()?;
                // Protocol 0 writes booleans in this form.
                if opcode == b'I' && matches!(line.as_str(), "00" | "01") {
                    self.push(PickleValue::Bool(line == "01"));
                    return Ok(());
                }
                let digits = line.trim_end_matches('L').parse();
                digits.map_err(|_| PickleError::from("is a pickle with a malformed number"))?
            }
        };
        self.push(PickleValue::Int(value));
        Ok(())
    }

    fn string(&mut self, opcode: u8) -> PickleResult<()> {
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
        self.push(PickleValue::Text(string));
        Ok(())
    }

    fn append(&mut self, items: Vec<ValueId>) -> PickleResult<()> {
        let list = self.top()?;
        match self.values.get_mut(list) {
            Some(PickleValue::List(list)) => list.extend(items),
            Some(PickleValue::Other) => {}
            _ => return Err("is a pickle that appends to a value that is not a list".into()),
        }
        Ok(())
    }

    fn set(&mut self, items: Vec<(ValueId, ValueId)>) -> PickleResult<()> {
        let dict = self.top()?;
        match self.values.get_mut(dict) {
            Some(PickleValue::Dict(dict)) => dict.extend(items),
            Some(PickleValue::Other) => {}
            _ => return Err("is a pickle that sets a key of a value that is not a dict".into()),
        }
        Ok(())
    }
}

fn pairs(items: &[ValueId]) -> PickleResult<Vec<(ValueId, ValueId)>> {
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
    fn an_unknown_global_is_an_error_with_its_name() {
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
            let error = Pickle::read(pickle).unwrap_err();
            assert_eq!(error, PickleError::Global(name.into()));
        }
    }

    #[test]
    fn containers_and_numbers_are_read() {
        // {'a': [1, -2, 70000], 'b': (True, None)}
        let bytes = b"\x80\x02}q\0(X\x01\0\0\0aq\x01]q\x02(K\x01J\xfe\xff\xff\xffJp\x11\x01\0e\
            X\x01\0\0\0bq\x03\x88N\x86q\x04u.";
        let pickle = Pickle::read(bytes).unwrap();
        assert_eq!(pickle.length, bytes.len());
        let PickleValue::Dict(root) = pickle.get(pickle.root) else {
            panic!("no dict")
        };
        let PickleValue::List(list) = pickle.get(pickle.entry(root, "a").unwrap()) else {
            panic!("no list")
        };
        let numbers: Vec<&PickleValue> = list.iter().map(|&id| pickle.get(id)).collect();
        let expected = [1, -2, 70000].map(PickleValue::Int);
        assert_eq!(numbers, expected.iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_list_copied_without_end_is_an_error() {
        let mut bytes = b"]q\0(".to_vec();
        bytes.extend(b"NN\x86".repeat(1000));
        bytes.push(b'e');
        bytes.extend(b"ccollections\nOrderedDict\nh\0\x85R".repeat(100));
        bytes.push(b'.');
        let error = Pickle::read(&bytes).unwrap_err();
        assert_eq!(
            error,
            "is a pickle that copies more items than it has bytes".into()
        );
    }

    #[test]
    fn a_million_nested_tuples_are_read() {
        let mut bytes = vec![b')'];
        bytes.extend(std::iter::repeat_n(0x85, 1_000_000));
        bytes.push(b'.');
        assert_eq!(Pickle::read(&bytes).unwrap().values.len(), 1_000_001);
    }
}
