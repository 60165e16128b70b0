/** The same without some of its members. */
export function without<T extends object, Name extends keyof T>(
  fields: T,
  ...names: readonly Name[]
): Omit<T, Name> {
  const left: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields))
    if (!(names as readonly string[]).includes(name)) left[name] = value;
  return left as Omit<T, Name>;
}
