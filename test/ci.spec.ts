import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './house/source.js';

/** Where this machine has a tool of the base system. */
function toolPath(name: string): string {
  return ['/usr/bin', '/bin'].map((folder) => join(folder, name)).find(existsSync) ?? name;
}

/** Runs `.ci/run` in a folder of its own, where npm and the servers are stand-ins. */
function run(
  npm: string,
  servers: readonly string[] = [
    'chromium',
    'redis-server',
    'curl',
    'jq',
    'mariadbd',
    'pip3',
    'promtool',
    'java',
    'mvn',
  ],
  libraries = 'libatomic.so.1',
) {
  const folder = mkdtempSync(join(tmpdir(), 'stakeout-ci-'));
  try {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    mkdirSync(join(folder, '.ci'));
    cpSync(join(root, '.ci/run'), join(folder, '.ci/run'));
    const stub = (name: string, script: string) => {
      writeFileSync(join(bin, name), `#!/bin/bash\n${script}\n`);
      chmodSync(join(bin, name), 0o755);
    };
    stub('npm', npm);
    stub('apt-get', `echo "apt-get $*" >&2; [ "$1" = update ]`);
    stub('apt-cache', 'exit 0');
    stub('ldconfig', `echo '${libraries} (libc6,x86-64)'`);
    stub('sudo', 'shift; exec "$@"');
    for (const server of servers) stub(server, 'exit 0');
    for (const tool of ['bash', 'dirname', 'id', 'mktemp', 'tee', 'grep', 'tail', 'rm']) {
      symlinkSync(toolPath(tool), join(bin, tool));
    }
    const { status, stdout, stderr } = spawnSync('/bin/bash', [join(folder, '.ci/run')], {
      cwd: tmpdir(),
      encoding: 'utf8',
      env: { PATH: bin },
    });
    return { status, stderr, last: stdout.trimEnd().split('\n').at(-1) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('.ci/run', () => {
  it('can be executed', () => {
    expect(statSync(join(root, '.ci/run')).mode & 0o111).toBe(0o111);
  });

  it('closes with what the tests counted', () => {
    expect(run('[ "$1" = ci ] || echo "12 passed, 0 failed"')).toMatchObject({
      status: 0,
      last: '12 passed, 0 failed',
    });
  });

  it('fails when a test failed, even if npm did not say so', () => {
    const npm = '[ "$1" = ci ] || echo "11 passed, 1 failed"';
    expect(run(npm)).toMatchObject({ status: 1, last: '11 passed, 1 failed' });
    expect(run(`${npm}; [ "$1" = ci ]`)).toMatchObject({ status: 1, last: '11 passed, 1 failed' });
  });

  it('fails when installing, linting or building did, so that no test was run', () => {
    expect(run('exit 3')).toMatchObject({ status: 3, last: '0 passed, 1 failed' });
    expect(run('exit 0')).toMatchObject({ status: 1, last: '0 passed, 1 failed' });
  });

  it('counts a failure after the tests', () => {
    expect(run('[ "$1" = ci ] || { echo "12 passed, 0 failed"; exit 1; }')).toMatchObject({
      status: 1,
      last: '12 passed, 1 failed',
    });
  });

  it('installs only the servers that are missing, and says so when it cannot', () => {
    const { status, stderr, last } = run('exit 0', ['chromium', 'curl', 'jq', 'java', 'mariadbd']);
    expect(stderr).toContain('install -y -qq --no-install-recommends redis-server python3-pip prometheus maven\n');
    expect(stderr).toContain('could not install what the tests need');
    expect({ status, last }).toEqual({ status: 1, last: '0 passed, 1 failed' });
  });

  it('installs the library that the native module needs, and a Java runtime, where they are missing', () => {
    expect(
      run('exit 0', ['chromium', 'redis-server', 'curl', 'jq', 'mariadbd', 'pip3', 'promtool', 'mvn'], 'libc.so.6')
        .stderr,
    ).toContain('install -y -qq --no-install-recommends libatomic1 openjdk-17-jre-headless\n');
  });

  it('reads nothing from standard input and tells the tools that it is automatic', () => {
    const npm = '[ "$1" = ci ] || { [ "$CI" = true ] && ! read -r line && echo "1 passed, 0 failed"; }';
    expect(run(npm)).toMatchObject({ status: 0, last: '1 passed, 0 failed' });
  });
});
