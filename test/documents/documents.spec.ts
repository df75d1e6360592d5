import { jest } from '@jest/globals';
import { built } from '../e2e/kit/build.js';
import { runDocument } from './kit/run-document.js';

jest.setTimeout(300_000);

beforeAll(built);

/** To add a document: mark its blocks as `kit/document.ts` says, and name it here. */
it.each([
  'README.md',
  'docs/tutorial.md',
  'docs/coming-from-flink-cep.md',
  'docs/coming-from-a-rules-engine.md',
  'docs/backtest.md',
  'docs/explanations.md',
  'docs/interchange.md',
  'docs/lists-at-runtime.md',
  'docs/operations.md',
  'docs/rules-at-runtime.md',
  'docs/runbooks.md',
  'docs/security.md',
  'docs/streams-at-runtime.md',
])('the commands of %s do what it says', runDocument);
