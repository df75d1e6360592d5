import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { settingsDocument } from './document.js';

const page = fileURLToPath(new URL('../../../docs/settings.md', import.meta.url));

it('docs/settings.md is in step with the schema', () => {
  if (process.env.UPDATE_DOCS) writeFileSync(page, settingsDocument());
  expect(readFileSync(page, 'utf8')).toBe(settingsDocument());
});
