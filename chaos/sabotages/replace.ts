/**
 * Puts another value in the place of what a module exports, for everybody who has it from there: importers look a name up each
 * time they use it. `module` is what `import * as` gives of a compiled file.
 */
export function replaceExport<M extends object, Name extends keyof M>(
  module: M,
  name: Name,
  make: (original: M[Name]) => M[Name],
): void {
  (module as Record<Name, M[Name]>)[name] = make(module[name]);
}

/** The same for a method of a class or an object. */
export function replaceMethod<O extends object, Name extends keyof O>(
  owner: O,
  name: Name,
  make: (original: O[Name]) => O[Name],
): void {
  owner[name] = make(owner[name]);
}
