//! Imports: what the `import` statements do, with Python's rules for packages, relative names and circles.
//!
//! A module is looked for among those loaded (`sys.modules`), then in the library (a finder that the layer above registers), then
//! among the sources that a host has put in, then in the folders of `sys.path` (`find.rs`). The evaluator calls [`Vm::import`],
//! [`Vm::import_from`] and [`Vm::import_star`]; `__import__()` and `importlib` call the first.

mod find;
pub mod missing;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use find::Found;

use super::Vm;
use crate::syntax::{Mode, Source};
use crate::value::{Dict, List, Module, R, Raised, Ref, Str, Value};

/// Makes a module of the library.
pub type Loader = fn(&Vm) -> R<Ref<Module>>;

/// Finds the module of the library with this import name.
pub type Finder = fn(&str) -> Option<Loader>;

/// What importing has to remember.
struct Imports {
    finder: Cell<Option<Finder>>,
    /// What `sys.path` is unless a script puts another list there.
    path: Ref<List>,
    /// Modules given as text, by import name.
    sources: RefCell<HashMap<String, Source>>,
    /// Modules whose bodies are running.
    loading: RefCell<Vec<Ref<Module>>>,
}

impl Imports {
    fn has_source(&self, name: &str) -> bool {
        self.sources.borrow().contains_key(name)
    }

    /// Whether the text of a module inside this package was given.
    fn has_sources_in(&self, name: &str) -> bool {
        self.sources.borrow().keys().any(|other| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
    }
}

impl Vm {
    fn imports(&self) -> Rc<Imports> {
        self.extension(|| Imports {
            finder: Cell::new(None),
            path: self.heap.list(Vec::new()),
            sources: RefCell::default(),
            loading: RefCell::default(),
        })
    }

    /// Registers where the modules of the library are found.
    pub fn set_module_finder(&self, finder: Finder) {
        self.imports().finder.set(Some(finder));
    }

    /// Makes a text importable under a name.
    pub fn add_module_source(&self, name: &str, source: Source) {
        self.imports().sources.borrow_mut().insert(name.to_owned(), source);
    }

    /// Whether the library has a module of this name, or its text was given (or that of a module in it).
    pub fn provides_module(&self, name: &str) -> bool {
        let imports = self.imports();
        imports.finder.get().is_some_and(|find| find(name).is_some()) || imports.has_source(name) || imports.has_sources_in(name)
    }

    /// The list that `sys.path` begins as.
    pub fn import_path(&self) -> Ref<List> {
        self.imports().path.clone()
    }

    /// Whether the body of this module is still running, which messages about missing names mention.
    pub fn is_loading(&self, module: &Ref<Module>) -> bool {
        self.imports().loading.borrow().iter().any(|other| other.is(module))
    }

    /// Imports the module `name`, with the packages around it, and returns it: for `from name import ...` and `import name as x`.
    /// `level` counts the dots of a relative import, which start from the package that `globals` tell. `import a.b` binds
    /// `a`: see [`Vm::import_top`].
    pub fn import(&self, name: &str, globals: Option<&Ref<Dict>>, level: u32) -> R {
        if level == 0 {
            if name.is_empty() {
                return Err(self.value_error("Empty module name"));
            }
            return self.import_absolute(name);
        }
        let package = self.package_of(globals)?;
        let mut base = package.as_str();
        for _ in 1..level {
            match base.rsplit_once('.') {
                Some((outer, _)) => base = outer,
                None => return Err(self.import_error("attempted relative import beyond top-level package")),
            }
        }
        self.import_absolute(base)?;
        match name {
            "" => self.import_absolute(base),
            name => self.import_absolute(&format!("{base}.{name}")),
        }
    }

    /// Imports `a.b.c` and returns `a`: for `import a.b.c`.
    pub fn import_top(&self, name: &str) -> R {
        let module = self.import(name, None, 0)?;
        match name.split_once('.') {
            Some((top, _)) => self.import_absolute(top),
            None => Ok(module),
        }
    }

    /// One name of `from module import name`: an attribute, or a module inside the package.
    pub fn import_from(&self, module: &Value, name: &Ref<Str>) -> R {
        let found = self.get_attr(module, name);
        if let Some(value) = self.catch(found, &self.types.attribute_error)? {
            return Ok(value);
        }
        let inner = self.text_attr(module, &self.n.__name__)?.map(|package| format!("{package}.{}", name.as_str()));
        if let Some(inner) = &inner {
            if self.find_attr(module, &self.n.__path__)?.is_some() {
                match self.import_absolute(inner) {
                    Ok(_) => {
                        let found = self.get_attr(module, name);
                        if let Some(value) = self.catch(found, &self.types.attribute_error)? {
                            return Ok(value);
                        }
                    }
                    Err(Raised) => self.forgive_missing(inner)?,
                }
            }
            if let Some(value) = self.modules.get_text(inner) {
                return Ok(value);
            }
        }
        Err(self.cannot_import(module, name.as_str()))
    }

    /// `from module import *`: the names in `__all__`, or those without a leading underscore.
    pub fn import_star(&self, module: &Value, globals: &Ref<Dict>) -> R<()> {
        if let Some(all) = self.find_attr(module, &self.n.__all__)? {
            let package = self.text_attr(module, &self.n.__name__)?.unwrap_or_default();
            let is_package = self.find_attr(module, &self.n.__path__)?.is_some();
            for item in self.collect(&all)? {
                let Some(name) = item.payload::<Str>() else {
                    let class = self.class_of(&item);
                    return Err(self.type_error(format!("Item in {package}.__all__ must be str, not {}", class.name().as_str())));
                };
                let name = self.intern(name.as_str());
                if is_package && self.find_attr(module, &name)?.is_none() {
                    let inner = format!("{package}.{}", name.as_str());
                    if self.import_absolute(&inner).is_err() {
                        self.forgive_missing(&inner)?;
                    }
                }
                let value = self.get_attr(module, &name)?;
                globals.set_str(&name, value);
            }
            return Ok(());
        }
        let Some(module) = module.payload::<Module>() else {
            return Err(self.import_error("from-import-* object has no __dict__ and no __all__"));
        };
        for (key, value) in module.dict.to_vec() {
            if let Some(name) = key.payload::<Str>()
                && !name.as_str().starts_with('_')
            {
                globals.set_str(name, value);
            }
        }
        Ok(())
    }

    /// A module object with the names that every module has. `file` is its `__file__`.
    pub fn module(&self, name: &str, file: Option<&str>, package: Option<&str>) -> Ref<Module> {
        let dict = self.heap.dict();
        let name = self.intern(name);
        let text = |text: Option<&str>| text.map_or(Value::None, |text| self.str_value(text));
        dict.set_str(&self.n.__name__, Value::from(&name));
        dict.set_str(&self.n.__doc__, Value::None);
        dict.set_str(&self.n.__package__, text(package));
        dict.set_str(&self.n.__loader__, Value::None);
        dict.set_str(&self.n.__spec__, Value::None);
        let module = self.heap.alloc(Module { name, dict: dict.clone() });
        if let Some(builtins) = self.modules.get_str(&self.n.builtins) {
            dict.set_str(&self.intern("__builtins__"), builtins);
        }
        if file.is_some() {
            dict.set_str(&self.n.__file__, text(file));
        }
        module
    }

    /// A package without text of its own, which is not in `sys.modules` yet.
    pub fn empty_package(&self, name: &str) -> Ref<Module> {
        let module = self.module(name, None, Some(name));
        module.dict.set_str(&self.n.__path__, Value::from(self.heap.list(Vec::new())));
        module
    }

    /// Makes `__main__` anew and enters it in `sys.modules`.
    pub fn main_module(&self, file: Option<&str>) -> Ref<Module> {
        let module = self.module("__main__", None, None);
        module.dict.set_str(&self.n.__annotations__, Value::from(self.heap.dict()));
        if let Some(file) = file {
            module.dict.set_str(&self.n.__file__, self.str_value(file));
        }
        self.modules.set_str(&self.n.__main__, Value::from(&module));
        module
    }

    /// The text of a source file, which has to be UTF-8.
    pub fn source_text(&self, path: &str, bytes: Vec<u8>) -> R<String> {
        String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let line = bytes[..valid].iter().filter(|&&byte| byte == b'\n').count() + 1;
            let message = format!(
                "Non-UTF-8 code starting with '\\x{:02x}' in file {path} on line {line}, but no encoding declared; \
                 see https://peps.python.org/pep-0263/ for details",
                bytes[valid]
            );
            self.raise_class(&self.types.syntax_error, &message)
        })
    }

    /// The package that relative imports in a namespace start from.
    fn package_of(&self, globals: Option<&Ref<Dict>>) -> R<String> {
        let get = |name| globals.and_then(|globals| globals.get_str(name)).filter(|value| !value.is_none());
        let package = match get(&self.n.__package__) {
            Some(package) => package,
            None => match (get(&self.n.__name__), get(&self.n.__path__)) {
                (Some(name), Some(_)) => name,
                (Some(name), None) => {
                    let outer = name.as_str().and_then(|name| name.rsplit_once('.')).map_or("", |(outer, _)| outer);
                    self.str_value(outer)
                }
                (None, _) => {
                    let key = self.str_value("'__name__' not in globals");
                    return Err(self.key_error(&key));
                }
            },
        };
        match package.as_str() {
            None => Err(self.type_error("package must be a string")),
            Some("") => Err(self.import_error("attempted relative import with no known parent package")),
            Some(package) => Ok(package.to_owned()),
        }
    }

    fn import_absolute(&self, name: &str) -> R {
        if let Some(module) = self.loaded(name)? {
            return Ok(module);
        }
        self.nested(|| {
            let Some((outer, last)) = name.rsplit_once('.') else {
                return self.load(name, None);
            };
            if outer.is_empty() {
                return Err(self.not_found(name, missing::message(name)));
            }
            let parent = self.import_absolute(outer)?;
            // The parent's body may have imported it by now.
            if let Some(module) = self.loaded(name)? {
                return Ok(module);
            }
            let module = self.load(name, Some((outer, &parent)))?;
            if self.class_of(&parent).is(&self.types.module) {
                self.set_attr(&parent, &self.intern(last), module.clone())?;
            }
            Ok(module)
        })
    }

    /// The module as `sys.modules` has it.
    fn loaded(&self, name: &str) -> R<Option<Value>> {
        match self.modules.get_text(name) {
            Some(Value::None) => Err(self.not_found(name, format!("import of {name} halted; None in sys.modules"))),
            found => Ok(found),
        }
    }

    /// Finds and loads a module that is not loaded, in a package or not.
    fn load(&self, name: &str, parent: Option<(&str, &Value)>) -> R {
        let imports = self.imports();
        let given = imports.sources.borrow().get(name).cloned();
        let is_package = imports.has_sources_in(name);
        if let Some(source) = given {
            return self.run_module(name, source, is_package.then(Vec::new), false);
        }
        if let Some(loader) = imports.finder.get().and_then(|find| find(name)) {
            let module = Value::from(loader(self)?);
            if let Some(replaced) = self.modules.get_text(name) {
                return Ok(replaced);
            }
            self.modules.set_str(&self.intern(name), module.clone());
            return Ok(module);
        }
        if is_package {
            let module = Value::from(self.empty_package(name));
            self.modules.set_str(&self.intern(name), module.clone());
            return Ok(module);
        }
        let folders = match parent {
            None => self.path_folders()?,
            Some((outer, parent)) => match self.find_attr(parent, &self.n.__path__)? {
                Some(path) => self.texts(&path)?,
                None => {
                    return Err(self.not_found(name, format!("No module named '{name}'; '{outer}' is not a package")));
                }
            },
        };
        let last = name.rsplit('.').next().unwrap_or(name);
        match find::find(&*self.host, &folders, last) {
            Some(Found::Source { path, folder }) => {
                let bytes = self.host.read_file(&path).map_err(|error| self.io_error(error, Some(&path)))?;
                let text = self.source_text(&path, bytes)?;
                self.run_module(name, Source::new(path, text), folder.map(|folder| vec![folder]), true)
            }
            Some(Found::Folders(folders)) => {
                let module = self.module(name, None, Some(name));
                module.dict.set_str(&self.n.__file__, Value::None);
                module.dict.set_str(&self.n.__path__, self.text_list(folders));
                self.modules.set_str(&self.intern(name), Value::from(&module));
                Ok(Value::from(module))
            }
            None => Err(self.not_found(name, missing::message(name))),
        }
    }

    /// Runs a module's body. It is in `sys.modules` while it runs, and stays there unless it raises. `path` is a package's.
    fn run_module(&self, name: &str, source: Source, path: Option<Vec<String>>, has_file: bool) -> R {
        let package = match &path {
            Some(_) => name,
            None => name.rsplit_once('.').map_or("", |(outer, _)| outer),
        };
        let module = self.module(name, has_file.then(|| source.name()), Some(package));
        if let Some(path) = path {
            module.dict.set_str(&self.n.__path__, self.text_list(path));
        }
        let key = self.intern(name);
        self.modules.set_str(&key, Value::from(&module));
        let imports = self.imports();
        imports.loading.borrow_mut().push(module.clone());
        let result = match self.compile(&source, Mode::File, &module.dict) {
            Ok(code) => self.run(&code),
            Err(error) => Err(self.raise_compile_error(&source, error)),
        };
        imports.loading.borrow_mut().retain(|other| !other.is(&module));
        match result {
            // The body may have put something else in its place.
            Ok(_) => Ok(self.modules.get_str(&key).unwrap_or_else(|| Value::from(&module))),
            Err(raised) => {
                drop(self.modules.remove_str(&key));
                Err(raised)
            }
        }
    }

    /// The folders of `sys.path`.
    fn path_folders(&self) -> R<Vec<String>> {
        let sys = self.modules.get_str(&self.n.sys);
        let path = match sys.as_ref().and_then(|sys| sys.payload::<Module>()) {
            Some(sys) => sys.dict.get_str(&self.n.path),
            None => None,
        };
        match path {
            Some(path) => self.texts(&path),
            None => self.texts(&Value::from(self.import_path())),
        }
    }

    /// The strings among the items of an iterable.
    fn texts(&self, iterable: &Value) -> R<Vec<String>> {
        Ok(self.collect(iterable)?.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
    }

    fn text_list(&self, texts: Vec<String>) -> Value {
        Value::from(self.heap.list(texts.iter().map(|text| self.str_value(text)).collect()))
    }

    fn text_attr(&self, object: &Value, name: &Ref<Str>) -> R<Option<String>> {
        Ok(self.find_attr(object, name)?.and_then(|value| value.as_str().map(str::to_owned)))
    }

    /// Lets the exception on its way go if it says that exactly this module does not exist.
    fn forgive_missing(&self, name: &str) -> R<()> {
        if !self.raised_is(&self.types.module_not_found_error) {
            return Err(Raised);
        }
        let exception = self.take_raised();
        match self.text_attr(&exception, &self.n.name)? {
            Some(missing) if missing == name => Ok(()),
            _ => Err(self.raise(exception)),
        }
    }

    #[cold]
    fn not_found(&self, name: &str, message: String) -> Raised {
        self.import_failure(&self.types.module_not_found_error, &message, self.str_value(name), Value::None, Value::None)
    }

    #[cold]
    fn cannot_import(&self, module: &Value, name: &str) -> Raised {
        let describe = || -> R<(String, Option<String>)> {
            let module_name = self.text_attr(module, &self.n.__name__)?.unwrap_or_else(|| "<unknown module name>".to_owned());
            Ok((module_name, self.text_attr(module, &self.n.__file__)?))
        };
        let (module_name, file) = match describe() {
            Ok(described) => described,
            Err(raised) => return raised,
        };
        let place = file.as_deref().unwrap_or("unknown location");
        let loading = module.payload::<Module>().is_some_and(|module| self.is_loading(module));
        let message = match loading {
            true => format!(
                "cannot import name '{name}' from partially initialized module '{module_name}' (most likely due to a circular import) ({place})"
            ),
            false => format!("cannot import name '{name}' from '{module_name}' ({place})"),
        };
        let path = file.as_deref().map_or(Value::None, |file| self.str_value(file));
        self.import_failure(&self.types.import_error, &message, self.str_value(&module_name), path, self.str_value(name))
    }

    #[cold]
    fn import_failure(&self, class: &Ref<crate::value::Class>, message: &str, name: Value, path: Value, from: Value) -> Raised {
        let exception = self.exception(class, vec![self.str_value(message)]);
        let fill = || -> R<()> {
            self.set_attr(&exception, &self.n.name, name)?;
            self.set_attr(&exception, &self.n.path, path)?;
            if from.is_none() { Ok(()) } else { self.set_attr(&exception, &self.intern("name_from"), from) }
        };
        match fill() {
            Ok(()) => self.raise_new(exception),
            Err(raised) => raised,
        }
    }
}
