//! `hashlib`: digests, by the crates of RustCrypto. `new` and the helpers are a script.

use std::cell::RefCell;

use digest::{Digest, DynDigest};

use super::support::{add, run_script};
use crate::native::{ModuleRow, define_class, new_module};
use crate::rows;
use crate::value::{Module, Payload, R, Ref, Value};
use crate::vm::{Vm, binary};

pub const MODULE: ModuleRow = ModuleRow { name: "hashlib", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let hash = define_class::<Hash>(
        vm,
        "_hashlib",
        "HASH",
        &rows![
            "copy", "" => copy(0);
            "digest", "" => digest(0);
            "hexdigest", "" => hexdigest(0);
            "update", "obj, /" => update(0 1);
            "__repr__", "/" => repr(0);
            get "block_size" => block_size(0);
            get "digest_size" => digest_size(0);
            get "name" => name(0);
        ],
    );
    hash.is_final.set(true);
    let module = new_module(
        vm,
        "hashlib",
        "Digests of bytes.",
        &rows![
            "_compare_digest", "a, b, /" => compare_digest(0 1);
            "_new", "name, data, /" => new(0 1);
            "_pbkdf2", "name, password, salt, iterations, length, /" => pbkdf2(0 1 2 3 4);
        ],
    );
    let names: Vec<Value> = KINDS.iter().map(|kind| vm.str_value(kind.name)).collect();
    add(vm, &module, "_names", Value::from(vm.heap.tuple(names)));
    run_script(vm, &module, include_str!("hashlib.script"))?;
    Ok(module)
}

/// A digest, by name.
struct Kind {
    name: &'static str,
    block_size: usize,
    make: fn() -> State,
}

/// A digest under way.
type State = Box<dyn DynDigest>;

fn make<D: Digest + DynDigest + 'static>() -> State {
    Box::new(<D as Digest>::new())
}

static KINDS: [Kind; 10] = [
    Kind { name: "md5", block_size: 64, make: make::<md5::Md5> },
    Kind { name: "sha1", block_size: 64, make: make::<sha1::Sha1> },
    Kind { name: "sha224", block_size: 64, make: make::<sha2::Sha224> },
    Kind { name: "sha256", block_size: 64, make: make::<sha2::Sha256> },
    Kind { name: "sha384", block_size: 128, make: make::<sha2::Sha384> },
    Kind { name: "sha512", block_size: 128, make: make::<sha2::Sha512> },
    Kind { name: "sha3_224", block_size: 144, make: make::<sha3::Sha3_224> },
    Kind { name: "sha3_256", block_size: 136, make: make::<sha3::Sha3_256> },
    Kind { name: "sha3_384", block_size: 104, make: make::<sha3::Sha3_384> },
    Kind { name: "sha3_512", block_size: 72, make: make::<sha3::Sha3_512> },
];

/// The payload of a hash object.
struct Hash {
    kind: &'static Kind,
    state: RefCell<State>,
}

impl Payload for Hash {
    crate::native_kind!();
    const CONTAINER: bool = false;
    const BUFFERS: bool = true;

    fn buffers(&self) -> usize {
        LARGEST_STATE
    }
}

/// About how many bytes a state takes outside its cell.
const LARGEST_STATE: usize = 400;

fn kind_of(vm: &Vm, name: &str) -> R<&'static Kind> {
    match KINDS.iter().find(|kind| kind.name == name) {
        Some(kind) => Ok(kind),
        None => Err(vm.value_error(format!("unsupported hash type {name}"))),
    }
}

fn data_of(vm: &Vm, value: &Value) -> R<Vec<u8>> {
    let Some(data) = binary::bytes_of(value) else {
        return Err(match value.as_str() {
            Some(_) => vm.type_error("Strings must be encoded before hashing"),
            None => vm.type_error("object supporting the buffer API required"),
        });
    };
    vm.charge((data.len() / 256) as u64)?;
    Ok(data)
}

fn new(vm: &Vm, name: &str, data: &Value) -> R<Ref<Hash>> {
    let kind = kind_of(vm, name)?;
    let mut state = (kind.make)();
    state.update(&data_of(vm, data)?);
    Ok(vm.heap.alloc_owning(Hash { kind, state: RefCell::new(state) }))
}

fn update(vm: &Vm, this: &Ref<Hash>, data: &Value) -> R<()> {
    let data = data_of(vm, data)?;
    this.state.borrow_mut().update(&data);
    Ok(())
}

fn copy(vm: &Vm, this: &Ref<Hash>) -> Ref<Hash> {
    let state = this.state.borrow().box_clone();
    vm.heap.alloc_owning(Hash { kind: this.kind, state: RefCell::new(state) })
}

fn finished(this: &Hash) -> Vec<u8> {
    this.state.borrow().box_clone().finalize().into_vec()
}

fn digest(vm: &Vm, this: &Ref<Hash>) -> Value {
    Value::from(vm.heap.bytes_object(finished(this)))
}

fn hexdigest(vm: &Vm, this: &Ref<Hash>) -> R<String> {
    crate::builtins::bytes::hexadecimal::write(vm, &finished(this), &Value::Undef, &Value::Undef)
}

fn name(_vm: &Vm, this: &Ref<Hash>) -> &'static str {
    this.kind.name
}

fn block_size(_vm: &Vm, this: &Ref<Hash>) -> usize {
    this.kind.block_size
}

fn digest_size(_vm: &Vm, this: &Ref<Hash>) -> usize {
    this.state.borrow().output_size()
}

fn repr(_vm: &Vm, this: &Ref<Hash>) -> String {
    format!("<{} _hashlib.HASH object @ {:#x}>", this.kind.name, this.address())
}

/// Equality in a time that does not tell where the difference is.
fn compare_digest(vm: &Vm, a: &Value, b: &Value) -> R<bool> {
    let (a, b) = match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) if a.is_ascii() && b.is_ascii() => (a.as_bytes().to_vec(), b.as_bytes().to_vec()),
        (Some(_), Some(_)) => {
            return Err(vm.type_error("comparing strings with non-ASCII characters is not supported"));
        }
        _ => {
            let data = |value: &Value| {
                binary::bytes_of(value).ok_or_else(|| {
                    let given = vm.class_of(value).name();
                    vm.type_error(format!("a bytes-like object is required, not '{}'", given.as_str()))
                })
            };
            (data(a)?, data(b)?)
        }
    };
    Ok(a.len() == b.len() && a.iter().zip(&b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0)
}

/// PBKDF2 with HMAC (RFC 8018).
fn pbkdf2(vm: &Vm, name: &str, password: &Value, salt: &Value, iterations: i64, length: i64) -> R {
    let kind = kind_of(vm, name)?;
    let (password, salt) = (data_of(vm, password)?, data_of(vm, salt)?);
    let (length, iterations) = (length.max(0) as usize, iterations.max(1) as u64);
    vm.check_alloc(length)?;
    let mut key = password;
    if key.len() > kind.block_size {
        key = hashed(kind, &[&key]);
    }
    key.resize(kind.block_size, 0);
    let masked = |mask: u8| key.iter().map(|byte| byte ^ mask).collect::<Vec<u8>>();
    let (inner, outer) = (masked(0x36), masked(0x5c));
    let mac = |parts: &[&[u8]]| {
        let mut all = vec![inner.as_slice()];
        all.extend(parts);
        hashed(kind, &[&outer, &hashed(kind, &all)])
    };
    let mut out = Vec::with_capacity(length);
    let mut block = 0u32;
    while out.len() < length {
        block += 1;
        let mut last = mac(&[&salt, &block.to_be_bytes()]);
        let mut sum = last.clone();
        for _ in 1..iterations {
            vm.charge(4)?;
            last = mac(&[&last]);
            sum.iter_mut().zip(&last).for_each(|(sum, byte)| *sum ^= byte);
        }
        out.extend(sum);
    }
    out.truncate(length);
    Ok(Value::from(vm.heap.bytes_object(out)))
}

fn hashed(kind: &Kind, parts: &[&[u8]]) -> Vec<u8> {
    let mut state = (kind.make)();
    parts.iter().for_each(|part| state.update(part));
    state.finalize().into_vec()
}
