import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { anchorsOf, checkLinks } from './house/links.js';
import { describeFindings, filesBelow, readSources, root } from './house/source.js';
import { checkTidy, LINES_MAX } from './house/tidy.js';

function findings(path: string, text: string): readonly string[] {
  return describeFindings(checkTidy({ path, text }));
}

describe('the habits of the house', () => {
  it('are kept by all sources and tests', () => {
    const sources = readSources(['src', 'test', 'bench']);
    expect(sources.length).toBeGreaterThan(10);
    expect(describeFindings(sources.flatMap(checkTidy))).toEqual([]);
  });

  it('are kept by the patterns: each folder has the pattern and its tests', () => {
    const incomplete = ['patterns', ...exampleFolders()]
      .flatMap((folder) => subfolders(folder).map((id) => `${folder}/${id}`))
      .flatMap((folder) => ['pattern.yaml', 'tests.yaml'].map((file) => `${folder}/${file}`))
      .filter((file) => !existsSync(join(root, file)));
    expect(incomplete).toEqual([]);
  });

  it('name only spec files that are there as those to begin with', () => {
    const slowest = JSON.parse(readFileSync(join(root, 'test/harness/slowest-specs.json'), 'utf8')) as string[];
    expect(slowest.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  it('are kept by the documents: links lead somewhere', () => {
    const pages = filesBelow('')
      .filter((path) => path.endsWith('.md'))
      .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
    expect(describeFindings(pages.flatMap(checkLinks))).toEqual([]);
  });
});

function subfolders(folder: string): readonly string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

function exampleFolders(): readonly string[] {
  return subfolders('examples').map((name) => `examples/${name}/patterns`);
}

describe('the check of the habits', () => {
  it.each([
    ['Date.now()', 'reads the clock: take a Clock, or event time'],
    ['globalThis.performance.now()', 'reads the clock: take a Clock, or event time'],
    ['new Date()', 'reads the clock: take a Clock, or event time'],
    ['Date()', 'reads the clock: take a Clock, or event time'],
    ['[1].map(Date.now)', 'reads the clock: take a Clock, or event time'],
    ['Math.random()', 'throws dice: take a seeded generator'],
    ['setTimeout(f, 1)', 'sets a timer: take a Clock'],
    ['globalThis.setInterval(f, 1)', 'sets a timer: take a Clock'],
  ])('finds %s in the runtime, and leaves it to the service', (text, rule) => {
    expect(findings('src/runtime/a.ts', `\nexport const a = ${text};\n`)).toEqual([`src/runtime/a.ts:2 ${rule}`]);
    expect(findings('src/service/a.ts', `\nexport const a = ${text};\n`)).toEqual([]);
  });

  it('lets the runtime compute with dates and times that it is given', () => {
    expect(findings('src/runtime/a.ts', 'export const a = new Date(0).getTime() + clock.now();')).toEqual([]);
  });

  it.each([
    'await new Promise((resolve) => setTimeout(resolve, 100));',
    "import { setTimeout } from 'node:timers/promises';",
  ])('finds a test that sleeps: %s', (text) => {
    expect(findings('src/cli/a.spec.ts', text)).toEqual(['src/cli/a.spec.ts:1 sleeps: wait for a condition']);
  });

  it.each([
    "it.only('a', f);",
    "describe.skip('a', f);",
    "test.todo('a');",
    "it.each.skip([1])('a', f);",
    "xit('a', f);",
    'const maybe = ready ? it : it.skip;',
  ])('finds a test that is left out: %s', (text) => {
    expect(findings('test/a.spec.ts', text)).toEqual(['test/a.spec.ts:1 leaves tests out']);
  });

  it('lets a test set a timer that nobody waits for', () => {
    expect(findings('test/a.spec.ts', 'const load = setInterval(send, 10);')).toEqual([]);
  });

  it('takes no other skip for a test left out', () => {
    expect(findings('test/a.spec.ts', 'pattern.skip.only(reader.skip(4));')).toEqual([]);
  });

  it.each(['try { a(); } catch {}', 'a().catch(() => {});', 'void (async () => { await a().catch(() => {}); })();'])(
    'finds a swallowed error: %s',
    (text) => {
      expect(findings('src/cli/a.ts', text)).toEqual([
        'src/cli/a.ts:1 swallows an error: handle it, or say in a comment why not',
      ]);
    },
  );

  it('accepts an error that is handled, and one that is left alone for a reason', () => {
    expect(findings('src/cli/a.ts', 'try { a(); } catch { b(); }')).toEqual([]);
    expect(findings('src/cli/a.ts', 'const size = await sizeOf(a).catch(() => undefined);')).toEqual([]);
    expect(findings('src/cli/a.ts', '// It need not be there.\nvoid a().catch(() => {});')).toEqual([]);
    expect(findings('src/cli/a.ts', 'last = made.catch(() => {});')).toEqual([]);
    expect(findings('src/cli/a.ts', 'a().catch(() => {\n  // It need not be there.\n});')).toEqual([]);
    expect(findings('src/cli/a.ts', 'try { a(); } catch {\n  // The file need not be there.\n}')).toEqual([]);
  });

  it('finds any, where it is a type', () => {
    expect(findings('bench/a.ts', "const any = 'any';\nconst b: any = any;")).toEqual([
      'bench/a.ts:2 has the type any',
    ]);
  });

  it('finds work that was put off', () => {
    const [later, fix] = ['TO', 'FIX'];
    expect(findings('src/cli/a.ts', `// ${later}DO: this\n/**\n * ${fix}ME\n */`)).toEqual([
      'src/cli/a.ts:1 puts work off',
      'src/cli/a.ts:3 puts work off',
    ]);
  });

  it('finds a file that is too long', () => {
    expect(findings('src/cli/a.ts', 'a();\n'.repeat(LINES_MAX))).toEqual([]);
    expect(findings('src/cli/a.ts', 'a();\n'.repeat(LINES_MAX + 1))).toEqual([
      'src/cli/a.ts:501 has 501 lines; 500 is the most',
    ]);
  });
});

describe('the check of links', () => {
  const links = (text: string) => describeFindings(checkLinks({ path: 'docs/a.md', text }));

  it('finds links to files that are not there', () => {
    expect(links('See [b](b-is-missing.md).')).toEqual([
      'docs/a.md:1 links to docs/b-is-missing.md, which is not there',
    ]);
    expect(links('\n[b]: ../gone.md')).toEqual(['docs/a.md:2 links to gone.md, which is not there']);
    expect(links('[b](../../b.md)')).toEqual(['docs/a.md:1 links to ../../b.md, outside the repository']);
  });

  it('finds links to headings that are not there', () => {
    expect(links('# One thing\n[a](#one-thing) [b](#two-things)')).toEqual([
      'docs/a.md:2 links to #two-things, but docs/a.md has no such heading',
    ]);
  });

  it('accepts files, folders and addresses, and does not read code', () => {
    expect(links('[a](../package.json) [b](../src/engine/) [c](https://example.com/x)')).toEqual([]);
    expect(links('```\n[a](b)\n```\nand `[a](b)`')).toEqual([]);
  });

  it('names headings as GitHub does', () => {
    expect([...anchorsOf('# A & B\n## `code`, here\n## A & B\n')]).toEqual(['a--b', 'code-here', 'a--b-1']);
  });
});
