//! Containers: subscripts, membership, length.

use super::super::Vm;
use super::exact_keys;
use crate::value::{ByteArray, Bytes, Class, Dict, DictView, Kind, List, MappingProxy, R, Range, Ref, Slice, Str, Tuple, Value};

impl Vm {
    /// `object[key]`.
    #[inline]
    pub fn get_item(&self, object: &Value, key: &Value) -> R {
        match object.kind() {
            Kind::List => match object.downcast::<List>() {
                Some(list) => self.list_get(list, key),
                None => Ok(Value::None),
            },
            Kind::Dict => match object.downcast::<Dict>() {
                Some(dict) => self.dict_item(dict, key),
                None => Ok(Value::None),
            },
            Kind::Tuple => match object.downcast::<Tuple>() {
                Some(tuple) => self.tuple_get(tuple, key),
                None => Ok(Value::None),
            },
            Kind::Instance | Kind::Native | Kind::Class => self.get_item_special(object, key),
            _ => match self.builtin_get_item(object, key)? {
                Some(found) => Ok(found),
                None => self.get_item_special(object, key),
            },
        }
    }

    /// `object[key]` for a value of a built-in type itself; nothing if it has no items.
    pub(crate) fn builtin_get_item(&self, object: &Value, key: &Value) -> R<Option<Value>> {
        if let Some(list) = object.downcast::<List>() {
            return self.list_get(list, key).map(Some);
        }
        if let Some(tuple) = object.downcast::<Tuple>() {
            return self.tuple_get(tuple, key).map(Some);
        }
        if let Some(dict) = object.downcast::<Dict>() {
            return self.dict_item(dict, key).map(Some);
        }
        if let Some(text) = object.downcast::<Str>() {
            return self.str_get(text, key).map(Some);
        }
        if let Some(range) = object.downcast::<Range>() {
            return self.range_get(range, key).map(Some);
        }
        if let Some(bytes) = object.downcast::<Bytes>() {
            return self.bytes_get(object, bytes.data(), "byte", key).map(Some);
        }
        if let Some(bytes) = object.downcast::<ByteArray>() {
            let data = bytes.with(<[u8]>::to_vec);
            return self.bytes_get(object, &data, "bytearray", key).map(Some);
        }
        if let Some(proxy) = object.downcast::<MappingProxy>() {
            return self.get_item(&proxy.0, key).map(Some);
        }
        Ok(None)
    }

    /// `text[key]`.
    pub fn str_get(&self, text: &Ref<Str>, key: &Value) -> R {
        if let Some(slice) = key.downcast::<Slice>() {
            let picked = self.slice_of(slice, || text.len())?;
            if let Some(span) = picked.span() {
                if span.len() == text.len() {
                    return Ok(Value::from(text));
                }
                return Ok(self.str_value(text.slice(span.start, span.end)));
            }
            self.charge((picked.count / 64) as u64)?;
            if text.is_ascii() {
                let bytes = text.as_str().as_bytes();
                let made: String = picked.indices().map(|at| bytes[at] as char).collect();
                return Ok(Value::from(self.heap.string(made)));
            }
            let chars: Vec<char> = text.as_str().chars().collect();
            let made: String = picked.indices().map(|at| chars[at]).collect();
            return Ok(Value::from(self.heap.string(made)));
        }
        if !self.has_index(key) {
            let class = self.class_of(key);
            return Err(self.type_error(format!("string indices must be integers, not '{}'", self.type_name(&class))));
        }
        let at = self.item_index(key, text.len(), "string")?;
        match text.char_at(at) {
            Some(char) => Ok(self.str_value(char.encode_utf8(&mut [0; 4]))),
            None => Err(self.index_error("string index out of range")),
        }
    }

    fn bytes_get(&self, object: &Value, data: &[u8], what: &str, key: &Value) -> R {
        if let Some(slice) = key.downcast::<Slice>() {
            let picked = self.slice_of(slice, || data.len())?;
            self.check_text(picked.count)?;
            let made = picked.of(data);
            return Ok(match object.kind() {
                Kind::ByteArray => Value::from(self.heap.bytearray(made)),
                _ => Value::from(self.heap.bytes_object(made)),
            });
        }
        if !self.has_index(key) {
            let class = self.class_of(key);
            return Err(self.type_error(format!("{what} indices must be integers or slices, not {}", self.type_name(&class))));
        }
        let what = if what == "byte" { "index" } else { "bytearray index" };
        let index = self.index_i64(key)?;
        let at = if index < 0 { index + data.len() as i64 } else { index };
        match usize::try_from(at).ok().and_then(|at| data.get(at)) {
            Some(byte) => Ok(Value::Int((*byte).into())),
            None => Err(self.index_error(format!("{what} out of range"))),
        }
    }

    #[inline(never)]
    fn get_item_special(&self, object: &Value, key: &Value) -> R {
        if let Some(answer) = self.call_special(object, &self.n.__getitem__, std::slice::from_ref(key))? {
            return Ok(answer);
        }
        if let Some(class) = object.downcast::<Class>() {
            let method = class.lookup(&self.n.__class_getitem__);
            if !method.is_undef() {
                let method = self.bind(&method, &Value::Undef, class)?;
                return self.call(&method, std::slice::from_ref(key));
            }
            if class.is(&self.types.type_) {
                return Ok(self.generic_alias(object.clone(), key));
            }
            return Err(self.type_error(format!("type '{}' is not subscriptable", self.type_name(class))));
        }
        let class = self.class_of(object);
        Err(self.type_error(format!("'{}' object is not subscriptable", self.type_name(&class))))
    }

    /// `object[key] = value`.
    #[inline]
    pub fn set_item(&self, object: &Value, key: &Value, value: Value) -> R<()> {
        if let Some(list) = object.downcast::<List>() {
            return self.list_set(list, key, value);
        }
        if let Some(dict) = object.downcast::<Dict>() {
            return self.dict_set(dict, key.clone(), value);
        }
        self.set_item_special(object, key, value)
    }

    #[inline(never)]
    fn set_item_special(&self, object: &Value, key: &Value, value: Value) -> R<()> {
        match self.call_special(object, &self.n.__setitem__, &[key.clone(), value])? {
            Some(_) => Ok(()),
            None => {
                let class = self.class_of(object);
                Err(self.type_error(format!("'{}' object does not support item assignment", self.type_name(&class))))
            }
        }
    }

    /// `del object[key]`.
    pub fn del_item(&self, object: &Value, key: &Value) -> R<()> {
        if let Some(list) = object.downcast::<List>() {
            return self.list_del(list, key);
        }
        if let Some(dict) = object.downcast::<Dict>() {
            return self.dict_del(dict, key);
        }
        match self.call_special(object, &self.n.__delitem__, std::slice::from_ref(key))? {
            Some(_) => Ok(()),
            None => {
                let class = self.class_of(object);
                Err(self.type_error(format!("'{}' object doesn't support item deletion", self.type_name(&class))))
            }
        }
    }

    /// `item in container`.
    #[inline]
    pub fn contains(&self, container: &Value, item: &Value) -> R<bool> {
        match container.kind() {
            Kind::Instance | Kind::Native | Kind::Class => self.contains_special(container, item),
            _ => match self.builtin_contains(container, item)? {
                Some(answer) => Ok(answer),
                None => self.contains_special(container, item),
            },
        }
    }

    /// `item in container` for a value of a built-in type itself; nothing if it has no items.
    pub(crate) fn builtin_contains(&self, container: &Value, item: &Value) -> R<Option<bool>> {
        if let Some(dict) = container.downcast::<Dict>() {
            return Ok(Some(self.dict_find(dict, item)?.is_some()));
        }
        if let Some(keys) = exact_keys(container) {
            return self.set_contains(keys, item).map(Some);
        }
        if let Some(list) = container.downcast::<List>() {
            return self.items_contain(list, item).map(Some);
        }
        if let Some(tuple) = container.downcast::<Tuple>() {
            return self.items_contain(tuple, item).map(Some);
        }
        if let Some(text) = container.downcast::<Str>() {
            let Some(part) = item.payload::<Str>() else {
                let class = self.class_of(item);
                let message = format!("'in <string>' requires string as left operand, not {}", self.type_name(&class));
                return Err(self.type_error(message));
            };
            self.charge((text.byte_len() / 4096) as u64)?;
            return Ok(Some(text.as_str().contains(part.as_str())));
        }
        if let Some(range) = container.downcast::<Range>() {
            return self.range_contains(range, item).map(Some);
        }
        if let Some(view) = container.downcast::<DictView>() {
            return self.view_contains(view, item).map(Some);
        }
        if let Some(proxy) = container.downcast::<MappingProxy>() {
            return self.contains(&proxy.0, item).map(Some);
        }
        if let Some(data) = super::builtin::bytes_of(container) {
            if let Some(part) = super::builtin::bytes_of(item.unwrapped()) {
                let found = part.is_empty() || data.windows(part.len()).any(|window| window == part);
                return Ok(Some(found));
            }
            if !self.has_index(item) {
                let class = self.class_of(item);
                return Err(self.type_error(format!("a bytes-like object is required, not '{}'", self.type_name(&class))));
            }
            let byte = self.index_i64(item)?;
            return match u8::try_from(byte) {
                Ok(byte) => Ok(Some(data.contains(&byte))),
                Err(_) => Err(self.value_error("byte must be in range(0, 256)")),
            };
        }
        Ok(None)
    }

    #[inline(never)]
    fn contains_special(&self, container: &Value, item: &Value) -> R<bool> {
        let class = self.class_of(container);
        let method = class.lookup(&self.n.__contains__);
        if method.is_none() {
            return Err(self.type_error(format!("'{}' object is not a container", self.type_name(&class))));
        }
        if !method.is_undef() {
            let answer = self.nested(|| self.call_slot(&method, container, std::slice::from_ref(item)))?;
            return self.truthy(&answer);
        }
        let iter = class.lookup(&self.n.__iter__);
        if (iter.is_undef() && class.lookup(&self.n.__getitem__).is_undef() && container.kind() != Kind::Iterator)
            || iter.is_none()
        {
            return Err(self.type_error(format!("argument of type '{}' is not iterable", self.type_name(&class))));
        }
        let mut found = false;
        self.for_each(container, &mut |value| {
            found = self.eq(&value, item)?;
            Ok(!found)
        })?;
        Ok(found)
    }

    /// `len(value)`.
    #[inline]
    pub fn len(&self, value: &Value) -> R<usize> {
        match self.builtin_len(value) {
            Some(length) => Ok(length),
            None => self.len_special(value),
        }
    }

    /// The length of a value of a built-in type itself.
    #[inline]
    pub(crate) fn builtin_len(&self, value: &Value) -> Option<usize> {
        match value.kind() {
            Kind::List => value.downcast::<List>().map(|list| list.len()),
            Kind::Dict => value.downcast::<Dict>().map(|dict| dict.len()),
            Kind::Str => value.downcast::<Str>().map(|text| text.len()),
            Kind::Tuple => value.downcast::<Tuple>().map(|tuple| tuple.len()),
            Kind::Set | Kind::FrozenSet => exact_keys(value).map(|keys| keys.len()),
            Kind::Range => value.downcast::<Range>().and_then(|range| usize::try_from(range.len()).ok()),
            Kind::Bytes => value.downcast::<Bytes>().map(|bytes| bytes.data().len()),
            Kind::ByteArray => value.downcast::<ByteArray>().map(|bytes| bytes.with(<[u8]>::len)),
            Kind::DictView => value.downcast::<DictView>().map(|view| view.dict.len()),
            _ => None,
        }
    }

    #[inline(never)]
    fn len_special(&self, value: &Value) -> R<usize> {
        match self.call_special(value, &self.n.__len__, &[])? {
            Some(result) => self.length_from(&result),
            None => {
                let class = self.class_of(value);
                Err(self.type_error(format!("object of type '{}' has no len()", self.type_name(&class))))
            }
        }
    }
}
