//! Containers: subscripts, membership, length.

use super::super::Vm;
use super::exact_keys;
use crate::value::{
    ByteArray, Bytes, Class, Dict, DictView, Instance, Kind, List, MappingProxy, R, Range, Ref, Str, Tuple, Value,
};

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
        if matches!(object.kind(), Kind::Bytes | Kind::ByteArray) {
            return self.bytes_get(object, key).map(Some);
        }
        if let Some(proxy) = object.downcast::<MappingProxy>() {
            return self.nested(|| self.get_item(&proxy.0, key)).map(Some);
        }
        Ok(None)
    }

    /// The dict inside an instance of a class derived from it that has not overridden this method.
    #[inline]
    fn inherited_dict<'a>(&self, object: &'a Value, method: &Ref<Str>) -> Option<&'a Ref<Dict>> {
        let dict = object.downcast::<Instance>()?.base().downcast::<Dict>()?;
        self.is_native_of(&self.class_of(object).lookup(method), &self.types.dict).then_some(dict)
    }

    #[inline(never)]
    fn get_item_special(&self, object: &Value, key: &Value) -> R {
        if self.inherited_dict(object, &self.n.__getitem__).is_some() {
            return self.dict_subscript(object, key);
        }
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
        if let Some(dict) = self.inherited_dict(object, &self.n.__setitem__) {
            return self.dict_set(dict, key.clone(), value);
        }
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
                let plain = matches!(object.kind(), Kind::Free | Kind::BigInt | Kind::Function | Kind::Class | Kind::Module);
                let not = if plain || !self.has_index(key) { "does not" } else { "doesn't" };
                Err(self.type_error(format!("'{}' object {not} support item deletion", self.type_name(&class))))
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
            return self.str_contains(text, item).map(Some);
        }
        if let Some(range) = container.downcast::<Range>() {
            return self.range_contains(range, item).map(Some);
        }
        if let Some(view) = container.downcast::<DictView>() {
            return self.view_contains(view, item).map(Some);
        }
        if let Some(proxy) = container.downcast::<MappingProxy>() {
            return self.nested(|| self.contains(&proxy.0, item)).map(Some);
        }
        if matches!(container.kind(), Kind::Bytes | Kind::ByteArray) {
            return self.bytes_contains(container, item).map(Some);
        }
        Ok(None)
    }

    #[inline(never)]
    fn contains_special(&self, container: &Value, item: &Value) -> R<bool> {
        if let Some(dict) = self.inherited_dict(container, &self.n.__contains__) {
            return Ok(self.dict_find(dict, item)?.is_some());
        }
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
