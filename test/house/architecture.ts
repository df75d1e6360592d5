import { posix } from 'node:path';
import { type Finding, isNode, type Source, Syntax, type SyntaxNode } from './source.js';

/** The folders of `src`: each may import from itself and from those before it, but the console, which speaks HTTP only. */
export const LAYERS = [
  'engine',
  'rules',
  'runtime',
  'connectors',
  'backtest',
  'bench',
  'service',
  'cli',
  'console',
] as const;
const CONSOLE = LAYERS.indexOf('console');

export interface Import {
  readonly specifier: string;
  readonly line: number;
}

/** Every way of naming another module: import, export from, `import()`, `require()`, types, `import x = require()`. */
export function importsOf(source: Source): readonly Import[] {
  const imports = known.get(source) ?? readImports(source);
  known.set(source, imports);
  return imports;
}

/** A source is read for several rules. */
const known = new WeakMap<Source, readonly Import[]>();

function readImports(source: Source): readonly Import[] {
  const syntax = new Syntax(source);
  return syntax.nodes().flatMap((node) => {
    const named = specifierOf(node);
    if (named === undefined) return [];
    return [{ specifier: textOf(named) ?? '(computed)', line: syntax.line(node) }];
  });
}

/** The text of a literal, or of a template without anything to fill in. */
function textOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'StringLiteral') return String(node.value);
  const quasis = node.type === 'TemplateLiteral' ? (node.quasis as readonly { readonly cooked: string }[]) : [];
  return quasis.length === 1 ? quasis[0]?.cooked : undefined;
}

function specifierOf(node: SyntaxNode): unknown {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
      return node.source;
    case 'ExportNamedDeclaration':
      return node.source ?? undefined;
    case 'TsImportType':
      return node.argument;
    case 'TsExternalModuleReference':
      return node.expression;
    case 'CallExpression':
      return isDynamicImport(node.callee) ? firstArgument(node) : undefined;
    default:
      return undefined;
  }
}

function isDynamicImport(callee: unknown): boolean {
  return isNode(callee) && (callee.type === 'Import' || (callee.type === 'Identifier' && callee.value === 'require'));
}

function firstArgument(call: SyntaxNode): unknown {
  const [first] = call.arguments as readonly { readonly expression: unknown }[];
  return first?.expression ?? null;
}

/** Breaches of the direction of imports, of the engine's purity, and of where decorators may stand. */
export function checkArchitecture(sources: readonly Source[]): readonly Finding[] {
  return [...sources.flatMap(checkImports), ...sources.flatMap(checkDecorators), ...checkEngineCycles(sources)];
}

function checkImports(source: Source): readonly Finding[] {
  const { path } = source;
  const from = layerOf(path);
  if (from < 0) {
    return [{ path, line: 1, rule: `is in no known folder of src (${LAYERS.join(', ')})` }];
  }
  return importsOf(source).flatMap(({ specifier, line }) => {
    const rule = specifier.startsWith('.') ? relativeRule(path, from, specifier) : packageRule(path, from, specifier);
    return rule === undefined ? [] : [{ path, line, rule }];
  });
}

function packageRule(path: string, from: number, specifier: string): string | undefined {
  return from === 0 && !isSpec(path) ? `imports ${specifier}: the engine imports nothing from outside` : undefined;
}

function relativeRule(path: string, from: number, specifier: string): string | undefined {
  const target = posix.join(posix.dirname(path), specifier);
  if (!target.startsWith('src/')) {
    // What ships as data, too.
    return isSpec(path) || target.startsWith('schemas/')
      ? undefined
      : `imports ${target}: code in src imports only from src`;
  }
  const to = layerOf(target);
  if (to < 0) {
    return `imports ${target}, which is in no known folder of src`;
  }
  if (from === CONSOLE && to !== CONSOLE) return `imports ${target}: the console speaks HTTP only`;
  return to > from ? `imports ${target}: ${LAYERS[from]} may not import from ${LAYERS[to]}` : undefined;
}

function checkDecorators(source: Source): readonly Finding[] {
  if (source.path.startsWith('src/service/')) return [];
  const syntax = new Syntax(source);
  return syntax
    .nodes()
    .filter(({ type }) => type === 'Decorator')
    .map((node) => ({ path: source.path, line: syntax.line(node), rule: 'decorators stand only under src/service' }));
}

/** Files that name each other in a ring, be it for types alone: none can be read without the others. */
export function checkRings(sources: readonly Source[]): readonly Finding[] {
  return ringsBetween(sources, withoutEnding);
}

/** A folder of the engine, or a file that lies directly in `src/engine`, is a part; parts must not depend on each other in a ring. */
function checkEngineCycles(sources: readonly Source[]): readonly Finding[] {
  return ringsBetween(
    sources.filter(({ path }) => layerOf(path) === 0 && !isSpec(path)),
    partOf,
  );
}

/** Imports that lead back to where they are, from part to part. */
function ringsBetween(sources: readonly Source[], nameOf: (path: string) => string): readonly Finding[] {
  const edges = sources
    .flatMap((source) =>
      importsOf(source)
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier, line }) => ({
          path: source.path,
          line,
          from: nameOf(source.path),
          to: nameOf(posix.join(posix.dirname(source.path), specifier)),
        })),
    )
    .filter(({ from, to }) => from !== to);
  const byPart = Map.groupBy(edges, ({ from }) => from);
  const reachable = new Map<string, ReadonlySet<string>>();
  const reachedFrom = (start: string): ReadonlySet<string> => {
    const reached = new Set([start]);
    for (const part of reached) for (const { to } of byPart.get(part) ?? []) reached.add(to);
    reachable.set(start, reached);
    return reached;
  };
  return edges
    .filter(({ from, to }) => (reachable.get(to) ?? reachedFrom(to)).has(from))
    .map(({ path, line, from, to }) => ({
      path,
      line,
      rule: `is part of a ring: ${from} imports ${to}, which leads back to ${from}`,
    }));
}

const withoutEnding = (path: string): string => path.replace(/\.(tsx?|js)$/, '');

const partOf = (path: string): string => withoutEnding(path.split('/').slice(0, 3).join('/'));

function layerOf(path: string): number {
  const [, folder] = path.split('/');
  return path.split('/').length > 2 ? (LAYERS as readonly (string | undefined)[]).indexOf(folder) : -1;
}

export function isSpec(path: string): boolean {
  return path.endsWith('.spec.ts');
}
