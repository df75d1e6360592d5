import { checkArchitecture, checkRings, importsOf } from './house/architecture.js';
import { describeFindings, readSources } from './house/source.js';

function findings(...sources: readonly (readonly [string, string])[]): readonly string[] {
  return describeFindings(checkArchitecture(sources.map(([path, text]) => ({ path, text }))));
}

describe('the architecture', () => {
  const sources = readSources(['src']);

  it('is kept by all of src: imports point one way, the engine imports nothing', () => {
    expect(sources.length).toBeGreaterThan(10);
    expect(describeFindings(checkArchitecture(sources))).toEqual([]);
  });

  it('has no files that name each other in a ring', () => {
    expect(describeFindings(checkRings([...sources, ...readSources(['test', 'bench'])]))).toEqual([]);
  });
});

describe('the check of the architecture', () => {
  it('lets a folder import from itself and from those before it', () => {
    expect(
      findings(
        ['src/engine/nfa/step.ts', "import { a } from '../pattern/a.js';"],
        ['src/runtime/lane.ts', "import { readFile } from 'node:fs/promises';\nimport { a } from '../rules/rule.js';"],
        ['src/cli/main.ts', "import { a } from '../service/a.js';\nimport type { B } from '../engine/b.js';"],
      ),
    ).toEqual([]);
  });

  it.each([
    ['import', "import { a } from '../runtime/a.js';"],
    ['import of a type', "import type { A } from '../runtime/a.js';"],
    ['inline type', "import { type A } from '../runtime/a.js';"],
    ['import for its effects', "import '../runtime/a.js';"],
    ['export', "export { a } from '../runtime/a.js';"],
    ['export of all', "export * from '../runtime/a.js';"],
    ['export of types', "export type * from '../runtime/a.js';"],
    ['dynamic import', "export const a = () => import('../runtime/a.js');"],
    ['dynamic import with a template', 'export const a = () => import(`../runtime/a.js`);'],
    ['type import', "export type A = import('../runtime/a.js').A;"],
    ['require', "export const a = require('../runtime/a.js');"],
    ['import by require', "import a = require('../runtime/a.js');"],
  ])('finds a wrong %s, with file and line', (_name, text) => {
    const [finding, ...others] = findings(['src/rules/b.ts', `// A comment — with an umlaut: ä.\n\n${text}\n`]);
    expect(finding).toBe('src/rules/b.ts:3 imports src/runtime/a.js: rules may not import from runtime');
    expect(others).toEqual([]);
  });

  it('keeps packages and Node out of the engine, types of them too', () => {
    expect(
      findings([
        'src/engine/a.ts',
        "import type { Stats } from 'node:fs';\nimport { z } from 'zod';\nexport const a = (name: string) => import(name);",
      ]),
    ).toEqual([
      'src/engine/a.ts:1 imports node:fs: the engine imports nothing from outside',
      'src/engine/a.ts:2 imports zod: the engine imports nothing from outside',
      'src/engine/a.ts:3 imports (computed): the engine imports nothing from outside',
    ]);
  });

  it('lets only specs import from outside src, and specs of the engine use test libraries', () => {
    const text = "import { help } from '../../test/harness/help.js';\nimport fc from 'fast-check';";
    expect(findings(['src/engine/a.spec.ts', text])).toEqual([]);
    expect(findings(['src/rules/a.ts', text])).toEqual([
      'src/rules/a.ts:1 imports test/harness/help.js: code in src imports only from src',
    ]);
  });

  it('keeps the console to HTTP, in both directions', () => {
    expect(
      findings(
        ['src/console/a.tsx', "import { a } from './b.js';\nimport type { Alert } from '../runtime/ports/alert.js';"],
        ['src/cli/a.ts', "import { a } from '../console/a.js';"],
      ),
    ).toEqual([
      'src/console/a.tsx:2 imports src/runtime/ports/alert.js: the console speaks HTTP only',
      'src/cli/a.ts:1 imports src/console/a.js: cli may not import from console',
    ]);
  });

  it('finds decorators outside the service', () => {
    const text = 'export class A {\n  @Get()\n  b(@Body() c: string) { return c; }\n}';
    expect(findings(['src/service/a.ts', text])).toEqual([]);
    expect(findings(['src/backtest/a.ts', text])).toEqual([
      'src/backtest/a.ts:2 decorators stand only under src/service',
      'src/backtest/a.ts:3 decorators stand only under src/service',
    ]);
  });

  it('finds rings between folders of the engine, also over a third one', () => {
    expect(
      findings(
        ['src/engine/nfa/a.ts', "import { b } from '../buffer/b.js';"],
        ['src/engine/buffer/b.ts', "import type { C } from '../codec/c.js';"],
        ['src/engine/codec/c.ts', "import { a } from '../nfa/a.js';"],
        ['src/engine/pattern/d.ts', "import { a } from '../nfa/a.js';"],
      ).map((text) => text.split(': ')[1]),
    ).toEqual([
      'src/engine/nfa imports src/engine/buffer, which leads back to src/engine/nfa',
      'src/engine/buffer imports src/engine/codec, which leads back to src/engine/buffer',
      'src/engine/codec imports src/engine/nfa, which leads back to src/engine/codec',
    ]);
  });

  it('finds rings between files, of types too', () => {
    const ring = [
      { path: 'src/cli/a.ts', text: "import { b } from './b/b.js';" },
      { path: 'src/cli/b/b.tsx', text: "import '../c.js';\nimport { d } from '../d.js';" },
      { path: 'src/cli/c.ts', text: "export type C = import('./a.js').A;" },
      { path: 'src/cli/d.ts', text: "import { e } from 'e';" },
    ];
    expect(describeFindings(checkRings(ring))).toEqual([
      'src/cli/a.ts:1 is part of a ring: src/cli/a imports src/cli/b/b, which leads back to src/cli/a',
      'src/cli/b/b.tsx:1 is part of a ring: src/cli/b/b imports src/cli/c, which leads back to src/cli/b/b',
      'src/cli/c.ts:1 is part of a ring: src/cli/c imports src/cli/a, which leads back to src/cli/c',
    ]);
  });

  it('does not take an index beside the folders for a ring', () => {
    expect(
      findings(
        ['src/engine/index.ts', "export * from './nfa/a.js';\nexport * from './event.js';"],
        ['src/engine/nfa/a.ts', "import type { E } from '../event.js';"],
        ['src/engine/event.ts', 'export interface E {}'],
      ),
    ).toEqual([]);
  });

  it('finds files in folders that the design does not know', () => {
    expect(findings(['src/utils/a.ts', ''], ['src/a.ts', ''])).toEqual([
      'src/utils/a.ts:1 is in no known folder of src (engine, rules, runtime, connectors, backtest, bench, service, cli, console)',
      'src/a.ts:1 is in no known folder of src (engine, rules, runtime, connectors, backtest, bench, service, cli, console)',
    ]);
  });

  it('does not take text that looks like an import for one', () => {
    expect(importsOf({ path: 'a.ts', text: "// import 'x'\nexport const s = \"import 'y'\";" })).toEqual([]);
  });
});
