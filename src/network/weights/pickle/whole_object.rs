//! Recognises a pickle of one object of a class, such as a whole network (`torch.save(net)`), from its first opcodes.

use super::safe_globals::is_safe;

/// The class of the object that the pickle, or the row of pickles in PyTorch's format before 1.6, is; `None` for other values.
/// Of `bytes`, the beginning is enough.
pub(crate) fn whole_object(bytes: &[u8]) -> Option<String> {
    // The format before 1.6 begins with three small pickles: the magic number, the version, and the machine's sizes.
    const MAGIC: &[u8] = b"\x8a\x0a\x6c\xfc\x9cF\xf9 j\xa8P\x19.";
    let mut rest = bytes;
    if rest.get(2..)?.starts_with(MAGIC) {
        for _ in 0..3 {
            rest = rest.get(super::Pickle::read(rest).ok()?.length..)?;
        }
        // There, a network's class is stored with its source.
        const MODULE: &[u8] = b"(X\x06\0\0\0module";
        let at = rest.windows(MODULE.len()).take(32);
        if let Some(at) = at.into_iter().position(|part| part == MODULE) {
            let rest = &rest[at + MODULE.len()..];
            let (class, _) = class(without_memo(rest))?;
            return (!is_safe(&class)).then_some(class);
        }
    }
    let [0x80, 0..=5, rest @ ..] = rest else {
        return None;
    };
    let rest = match rest {
        [0x95, rest @ ..] => rest.get(8..)?,
        rest => rest,
    };
    let (class, rest) = class(rest)?;
    // An object is made without arguments; the call of a function has some.
    let is_made = without_memo(rest).starts_with(b")\x81");
    (is_made && !is_safe(&class)).then_some(class)
}

/// The class that the next opcodes name, and what follows.
fn class(bytes: &[u8]) -> Option<(String, &[u8])> {
    let utf8 = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if let [b'c', rest @ ..] = bytes {
        let mut lines = rest.splitn(3, |&byte| byte == b'\n');
        let (module, name, rest) = (lines.next()?, lines.next()?, lines.next()?);
        return Some((format!("{}.{}", utf8(module), utf8(name)), rest));
    }
    let short = |bytes: &'_ [u8]| -> Option<(String, usize)> {
        let [0x8c, length, rest @ ..] = bytes else {
            return None;
        };
        let text = rest.get(..usize::from(*length))?;
        Some((utf8(text), 2 + text.len()))
    };
    let (module, length) = short(bytes)?;
    let rest = without_memo(bytes.get(length..)?);
    let (name, length) = short(rest)?;
    let rest = without_memo(rest.get(length..)?);
    Some((format!("{module}.{name}"), rest.strip_prefix(b"\x93")?))
}

/// What follows an opcode that keeps the last value, if there is one.
fn without_memo(bytes: &[u8]) -> &[u8] {
    match bytes {
        [b'q', _, rest @ ..] | [0x94, rest @ ..] | [b'r', _, _, _, _, rest @ ..] => rest,
        _ => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::whole_object;

    #[test]
    fn objects_of_classes_are_recognised() {
        for (pickle, class) in [
            (&b"\x80\x02cnets\nNet\nq\x00)\x81q\x01}."[..], Some("nets.Net")),
            (b"\x80\x04\x95\0\0\0\0\0\0\0\0\x8c\x04nets\x94\x8c\x03Net\x94\x93\x94)\x81\x94}.", Some("nets.Net")),
            (
                b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}q\0.\x80\x02(X\x06\0\0\0moduleq\0cnets\nNet\nq\x01X",
                Some("nets.Net"),
            ),
            (b"\x80\x02cos\nsystem\nq\x00X\x02\0\0\0ls\x85R.", None),
            (b"\x80\x02ccollections\nOrderedDict\nq\x00)\x81.", None),
            (b"\x80\x02}q\0.", None),
            (b"\x80\x02cnets\nNet", None),
            (b"", None),
        ] {
            assert_eq!(whole_object(pickle).as_deref(), class, "{pickle:?}");
        }
    }
}
