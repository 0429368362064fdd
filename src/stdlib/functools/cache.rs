//! The wrapper behind `functools.lru_cache` and `cache`: a dict in the order of use.

use std::cell::Cell;

use crate::native::define_class;
use crate::value::{Class, Dict, Kind, Payload, R, Ref, Value, Visitor};
use crate::vm::{Args, BoundMethod, Vm};
use crate::{native_kind, rows};

/// The native part of a cached function.
struct Cache {
    function: Value,
    /// `None`: keep everything.
    maxsize: Option<usize>,
    typed: bool,
    /// The class of what `cache_info` returns.
    info: Value,
    /// Stands between positional arguments and keywords in a key.
    mark: Value,
    /// Results by key, the one used last at the end.
    results: Ref<Dict>,
    /// Entries before this position are gone.
    first: Cell<usize>,
    hits: Cell<i64>,
    misses: Cell<i64>,
}

impl Payload for Cache {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.values([&self.function, &self.info, &self.mark]);
        visitor.reference(&self.results);
    }

    fn clear(&self) {
        self.results.empty();
    }
}

pub fn class(vm: &Vm) -> Ref<Class> {
    define_class::<Cache>(
        vm,
        "functools",
        "_lru_cache_wrapper",
        &rows![
            static "__new__", "cls, user_function, maxsize, typed, cache_info_type" => cache_new(0 1 2 3 4);
            raw "__call__", "*args, **kwargs" => cache_call;
            "__get__", "instance, owner=None, /" => bind(0 1);
            "cache_info", "/" => cache_info(0);
            "cache_clear", "/" => cache_clear(0);
            "__copy__", "/" => itself(0);
            "__deepcopy__", "memo, /" => itself(0);
        ],
    )
}

fn cache_new(vm: &Vm, class: &Ref<Class>, function: Value, maxsize: &Value, typed: bool, info: Value) -> R {
    let maxsize = match maxsize {
        Value::None => None,
        value => Some(vm.index_i64(value)?.max(0) as usize),
    };
    let made = Cache {
        function,
        maxsize,
        typed,
        info,
        mark: Value::from(vm.heap.instance(&vm.types.object)),
        results: vm.heap.dict(),
        first: Cell::new(0),
        hits: Cell::new(0),
        misses: Cell::new(0),
    };
    Ok(Value::from(vm.heap.instance_of_base(class, vm.heap.alloc(made).into())))
}

fn itself(_vm: &Vm, this: &Value) -> Value {
    this.clone()
}

fn bind(vm: &Vm, this: &Value, instance: &Value) -> Value {
    if instance.is_none() {
        return this.clone();
    }
    vm.heap.alloc(BoundMethod { function: this.clone(), this: instance.clone() }).into()
}

impl Cache {
    /// The key of a call. One argument of a type that equals nothing of other types is its own key.
    fn key(&self, vm: &Vm, args: Args<'_>) -> Value {
        if !self.typed && args.keywords.is_empty() {
            if let [only] = args.positional
                && (matches!(only, Value::Int(_)) || only.kind() == Kind::Str)
            {
                return only.clone();
            }
            return vm.heap.tuple(args.positional).into();
        }
        let mut items = args.positional.to_vec();
        if !args.keywords.is_empty() {
            items.push(self.mark.clone());
            for (name, value) in args.keywords {
                items.push(Value::from(name));
                items.push(value.clone());
            }
        }
        if self.typed {
            items.extend(args.positional.iter().map(|value| Value::from(vm.class_of(value))));
            items.extend(args.keywords.iter().map(|(_, value)| Value::from(vm.class_of(value))));
        }
        vm.heap.tuple(items).into()
    }

    fn insert(&self, hash: u64, key: Value, value: Value) {
        let before = self.results.end();
        self.results.insert_new(hash, key, value);
        if self.results.end() <= before {
            // The dict has closed its gaps.
            self.first.set(0);
        }
    }

    /// Removes the result used longest ago.
    fn evict(&self) {
        if let Some((at, entry)) = self.results.next_entry(self.first.get()).or_else(|| self.results.next_entry(0)) {
            self.first.set(at + 1);
            let removed = self.results.remove_at(at);
            drop(entry);
            drop(removed);
        }
    }
}

fn cache_call(vm: &Vm, args: Args<'_>) -> R {
    let Some((this, given)) = args.positional.split_first() else {
        return Err(vm.type_error("descriptor '__call__' of 'functools._lru_cache_wrapper' object needs an argument"));
    };
    let Some(this) = this.payload::<Cache>() else {
        return Err(vm.type_error("descriptor '__call__' requires a 'functools._lru_cache_wrapper' object"));
    };
    let args = Args { positional: given, keywords: args.keywords };
    if this.maxsize == Some(0) {
        this.misses.set(this.misses.get() + 1);
        return vm.call_with(&this.function, args);
    }
    let key = this.key(vm, args);
    let hash = vm.key_hash(&key)? as u64;
    if let Some(at) = vm.dict_find_hashed(&this.results, hash, &key)?
        && let Some(value) = this.results.value_at(at)
    {
        this.hits.set(this.hits.get() + 1);
        if this.maxsize.is_some()
            && at + 1 < this.results.end()
            && let Some(entry) = this.results.remove_at(at)
        {
            this.insert(entry.hash, entry.key, entry.value);
        }
        return Ok(value);
    }
    this.misses.set(this.misses.get() + 1);
    let value = vm.call_with(&this.function, args)?;
    // The call may have entered the key meanwhile.
    if vm.dict_find_hashed(&this.results, hash, &key)?.is_none() {
        if let Some(max) = this.maxsize {
            while this.results.len() >= max {
                this.evict();
            }
        }
        this.insert(hash, key, value.clone());
    }
    Ok(value)
}

fn cache_info(vm: &Vm, this: &Ref<Cache>) -> R {
    let max = this.maxsize.map_or(Value::None, |max| Value::Int(max as i64));
    let counts = [Value::Int(this.hits.get()), Value::Int(this.misses.get()), max, Value::Int(this.results.len() as i64)];
    vm.call(&this.info, &counts)
}

fn cache_clear(_vm: &Vm, this: &Ref<Cache>) {
    this.hits.set(0);
    this.misses.set(0);
    this.first.set(0);
    this.results.empty();
}
