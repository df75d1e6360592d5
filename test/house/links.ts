import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type Finding, root, type Source } from './source.js';

/** Links of a Markdown page into the repository that lead nowhere, or to a heading that is not there. */
export function checkLinks(page: Source): readonly Finding[] {
  const lines = withoutCode(page.text).split('\n');
  return lines.flatMap((text, i) =>
    [...text.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)/g)]
      .map((match) => match[1] ?? match[2] ?? '')
      .filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target))
      .flatMap((target) => {
        const rule = brokenBecause(page, target);
        return rule === undefined ? [] : [{ path: page.path, line: i + 1, rule }];
      }),
  );
}

/** The anchors that GitHub gives to the headings of a page. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutCode(text).matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)) {
    const base = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    let anchor = base;
    for (let n = 1; anchors.has(anchor); n += 1) anchor = `${base}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

function brokenBecause(page: Source, target: string): string | undefined {
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? page.path : posix.join(posix.dirname(page.path), decodeURIComponent(file));
  if (path.startsWith('..')) return `links to ${target}, outside the repository`;
  if (file !== '' && !existsSync(join(root, path))) return `links to ${path}, which is not there`;
  if (anchor === undefined || !path.endsWith('.md')) return undefined;
  const text = file === '' ? page.text : readFileSync(join(root, path), 'utf8');
  return anchorsOf(text).has(anchor) ? undefined : `links to ${target}, but ${path} has no such heading`;
}

/** Fenced blocks become empty lines, so that line numbers stay right; spans in backticks keep their text but no links. */
function withoutCode(text: string): string {
  return text
    .replace(/^(```|~~~)[\s\S]*?^\1/gm, (block) => block.replace(/[^\n]/g, ''))
    .replace(/`[^`\n]*`/g, (span) => span.replace(/[[\]()`]/g, ''));
}
