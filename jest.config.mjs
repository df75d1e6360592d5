/** Jest runs the TypeScript sources as ES modules through SWC; types are checked by `npm run typecheck`. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
  globalSetup: '<rootDir>/test/harness/servers/global-setup.mjs',
  globalTeardown: '<rootDir>/test/harness/servers/global-teardown.mjs',
  reporters: ['default', '<rootDir>/test/harness/summary-reporter.mjs'],
  testSequencer: '<rootDir>/test/harness/sequencer.mjs',
  testTimeout: 300_000,
  // Specs that share real servers and two cores: more workers would only make each other slow.
  maxWorkers: 2,
  // Modules of earlier specs stay in a worker's heap: late in a run, one that collects garbage in full took 400 s instead of 14.
  workerIdleMemoryLimit: '1GB',
};
