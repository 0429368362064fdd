//! Strings as the operators see them: subscripts, concatenation, repetition, containment. The methods are in `builtins/str/`.

use std::cell::OnceCell;

use super::Vm;
use crate::value::{R, Ref, Slice, Str, Value};

/// Strings of one code point below 256, which subscripts and iteration ask for all the time.
pub struct CharCache(Box<[OnceCell<Value>; 256]>);

impl Default for CharCache {
    fn default() -> CharCache {
        CharCache(Box::new([const { OnceCell::new() }; 256]))
    }
}

impl Vm {
    /// The string of one code point.
    #[inline]
    pub fn char_value(&self, char: char) -> Value {
        match self.characters.0.get(char as usize) {
            Some(cell) => cell.get_or_init(|| self.str_value(char.encode_utf8(&mut [0; 4]))).clone(),
            None => self.str_value(char.encode_utf8(&mut [0; 4])),
        }
    }

    /// `text[key]`.
    #[inline]
    pub fn str_get(&self, text: &Ref<Str>, key: &Value) -> R {
        if let Value::Int(i) = key
            && text.is_ascii()
        {
            let index = if *i < 0 { i.wrapping_add(text.byte_len() as i64) } else { *i };
            if let Some(byte) = text.as_str().as_bytes().get(index as usize) {
                return Ok(self.char_value(*byte as char));
            }
        }
        self.str_get_slowly(text, key)
    }

    #[inline(never)]
    fn str_get_slowly(&self, text: &Ref<Str>, key: &Value) -> R {
        let Some(slice) = key.downcast::<Slice>() else {
            if !self.has_index(key) {
                let class = self.class_of(key);
                return Err(self.type_error(format!("string indices must be integers, not '{}'", self.type_name(&class))));
            }
            let index = self.item_index(key, text.len(), "string")?;
            return Ok(text.char_at(index).map_or(Value::None, |char| self.char_value(char)));
        };
        let picked = self.slice_of(slice, || text.len())?;
        if let Some(span) = picked.span() {
            if span.len() == text.len() {
                return Ok(Value::from(text));
            }
            return self.substring(text.slice(span.start, span.end));
        }
        self.check_text(picked.count.saturating_mul(4))?;
        self.charge((picked.count / 64) as u64)?;
        if text.is_ascii() {
            let bytes = text.as_str().as_bytes();
            let taken = picked.indices().map(|at| bytes[at] as char).collect();
            return Ok(Value::from(self.heap.string(taken)));
        }
        self.charge((text.byte_len() / 64) as u64)?;
        let chars: Vec<char> = text.as_str().chars().collect();
        let taken = picked.indices().map(|at| chars[at]).collect();
        Ok(Value::from(self.heap.string(taken)))
    }

    /// A part of a text as a value of its own.
    pub fn substring(&self, text: &str) -> R {
        let mut chars = text.chars();
        if let (Some(only), None) = (chars.next(), chars.next()) {
            return Ok(self.char_value(only));
        }
        self.check_text(text.len())?;
        Ok(self.str_value(text))
    }

    /// `text += other`: in place if nothing else refers to the string.
    #[inline]
    pub fn str_append(&self, text: Ref<Str>, other: &Value) -> R {
        if let Some(more) = other.downcast::<Str>() {
            self.check_text(text.byte_len() + more.byte_len() * 2)?;
            if text.append(more.as_str(), 1) {
                return Ok(Value::from(text));
            }
        }
        self.binary(crate::syntax::ast::Operator::Add, &Value::from(text), other)
    }

    /// `text * times`.
    pub fn str_repeat(&self, text: &Ref<Str>, times: &Value) -> R {
        let times = self.repeat_count(times)?;
        if times == 1 || text.is_empty() {
            return Ok(Value::from(text));
        }
        if times == 0 {
            return Ok(self.str_value(""));
        }
        self.check_text(text.byte_len().saturating_mul(times))?;
        Ok(Value::from(self.heap.string(text.as_str().repeat(times))))
    }

    /// `item in text`.
    pub fn str_contains(&self, text: &Ref<Str>, item: &Value) -> R<bool> {
        let Some(item) = item.payload::<Str>() else {
            let class = self.class_of(item).name();
            let message = format!("'in <string>' requires string as left operand, not {}", class.as_str());
            return Err(self.type_error(message));
        };
        self.will_scan(text.byte_len())?;
        Ok(memchr::memmem::find(text.as_str().as_bytes(), item.as_str().as_bytes()).is_some())
    }

    /// Before so many bytes are looked through.
    #[inline]
    pub fn will_scan(&self, bytes: usize) -> R<()> {
        if bytes > 4096 { self.charge((bytes / 1024) as u64) } else { Ok(()) }
    }
}
