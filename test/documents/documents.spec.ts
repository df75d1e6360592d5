import { jest } from '@jest/globals';
import { built } from '../e2e/kit/build.js';
import { runDocument } from './kit/run-document.js';

jest.setTimeout(300_000);

beforeAll(built);

/** To add a document: mark its blocks as `kit/document.ts` says, and name it here. */
it.each(['docs/tutorial.md', 'docs/coming-from-flink-cep.md', 'docs/coming-from-a-rules-engine.md'])(
  'the commands of %s do what it says',
  runDocument,
);
