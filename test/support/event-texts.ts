import { globSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

const ROOT = path.resolve(__dirname, "../..");
/** Deeper than any event is; a type that contains itself ends there. */
const DEPTH_MAX = 8;
const EVENT_TYPE = /^[a-z_]+(\.[a-z_]+)+$/;

/** A place in an event's data that can hold any text: `order.placed`, `items[].name.ru`. */
export interface EventText {
  readonly type: string;
  readonly path: string;
}

/**
 * Every such place of every event that the services declare, by the compiler's own account: wherever a type has a literal `type`
 * and `data`, and wherever an entity says what its events carry.
 */
export function textsOfAllEvents(): EventText[] {
  const files = globSync("services/**/*.ts", { cwd: ROOT }).map((file) => path.join(ROOT, file));
  const program = ts.createProgram(files, { strict: true, noEmit: true, skipLibCheck: true, types: [] });
  const checker = program.getTypeChecker();
  const own = new Set(files.map((file) => path.normalize(file)));
  const found = new Map<string, EventText>();
  const visit = (node: ts.Node): void => {
    for (const text of [...textsOfType(node, checker), ...textsOfEntity(node)])
      found.set(`${text.type} ${text.path}`, text);
    ts.forEachChild(node, visit);
  };
  for (const source of program.getSourceFiles()) if (own.has(path.normalize(source.fileName))) visit(source);
  return [...found.keys()].sort().flatMap((key) => found.get(key) ?? []);
}

function textsOfType(node: ts.Node, checker: ts.TypeChecker): EventText[] {
  if (!ts.isTypeLiteralNode(node) && !ts.isInterfaceDeclaration(node)) return [];
  const declared = checker.getTypeAtLocation(node);
  const [type, data] = ["type", "data"].map((name) => declared.getProperty(name));
  if (type === undefined || data === undefined) return [];
  const paths = textPaths(checker.getTypeOfSymbol(data), checker, "", 0);
  return literalsOf(checker.getTypeOfSymbol(type))
    .filter((name) => EVENT_TYPE.test(name))
    .flatMap((name) => paths.map((at) => ({ type: name, path: at })));
}

function literalsOf(type: ts.Type): string[] {
  return (type.isUnion() ? type.types : [type]).flatMap((each) =>
    each.isStringLiteral() ? [each.value] : [],
  );
}

function textPaths(type: ts.Type, checker: ts.TypeChecker, at: string, depth: number): string[] {
  if (type.flags & (ts.TypeFlags.String | ts.TypeFlags.Unknown | ts.TypeFlags.Any)) return [at];
  if (depth > DEPTH_MAX) return [`${at}…`];
  if (type.isUnion()) return type.types.flatMap((each) => textPaths(each, checker, at, depth));
  const element = checker.isArrayType(type)
    ? checker.getTypeArguments(type as ts.TypeReference)[0]
    : undefined;
  if (element !== undefined) return textPaths(element, checker, `${at}[]`, depth + 1);
  if (!(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection))) return [];
  const index = checker.getIndexTypeOfType(type, ts.IndexKind.String);
  const indexed = index === undefined ? [] : textPaths(index, checker, `${at}.*`, depth + 1);
  const named = checker.getPropertiesOfType(type).flatMap((property) => {
    const name = at === "" ? property.name : `${at}.${property.name}`;
    return textPaths(checker.getTypeOfSymbol(property), checker, name, depth + 1);
  });
  return [...indexed, ...named];
}

/** `{ create: "camera.created", …, payload_fields: ["name", …] }`: which of the fields are texts does not matter here. */
function textsOfEntity(node: ts.Node): EventText[] {
  if (!ts.isObjectLiteralExpression(node)) return [];
  const parts = new Map(
    node.properties.flatMap((part) =>
      ts.isPropertyAssignment(part) && ts.isIdentifier(part.name)
        ? [[part.name.text, part.initializer] as const]
        : [],
    ),
  );
  const fields = parts.get("payload_fields");
  if (fields === undefined || !parts.has("create")) return [];
  const types = ["create", "update", "update_of", "delete"].flatMap((name) => stringsIn(parts.get(name)));
  return types.flatMap((type) => stringsIn(fields).map((at) => ({ type, path: at })));
}

function stringsIn(node: ts.Node | undefined): string[] {
  if (node === undefined) return [];
  if (ts.isStringLiteral(node)) return [node.text];
  const found: string[] = [];
  ts.forEachChild(node, (child) => void found.push(...stringsIn(child)));
  return found;
}
