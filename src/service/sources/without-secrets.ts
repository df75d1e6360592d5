import { settingsSchema } from '../../runtime/settings/schema.js';
import { isTree, leavesOf, type Tree } from '../../runtime/settings/tree.js';
import type { SourceKind } from '../../runtime/sources/source-chain.js';

const secrets = new Set(
  leavesOf(settingsSchema)
    .filter(({ meta }) => meta.secret === true)
    .map(({ path }) => path.join('.')),
);
const SECTIONS: Readonly<Record<SourceKind, string>> = { stream: 'streams.*', sink: 'sinks.*' };

/** A definition for others to see. Names of variables (`${NAME}`) are no secrets. */
export const withoutSecrets = (kind: SourceKind, definition: Tree): Tree => hidden(definition, SECTIONS[kind]);

function hidden(tree: Tree, path: string): Tree {
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => {
      const own = `${path}.${key}`;
      if (secrets.has(own)) return [key, /^\$\{\w+\}$/.test(String(value)) ? value : '(secret, not shown)'];
      return [key, isTree(value) ? hidden(value, own) : value];
    }),
  );
}
