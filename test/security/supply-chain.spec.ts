import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../house/source.js';

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly optional?: boolean;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

const read = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8')) as Record<string, unknown>;
const own = read('package.json') as {
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly allowScripts: Record<string, boolean>;
};
const locked = Object.entries((read('package-lock.json') as { packages: Record<string, Locked> }).packages).filter(
  ([path]) => path !== '',
);

describe('what the service is made of', () => {
  it('is named by exact versions', () => {
    const all = Object.entries({ ...own.dependencies, ...own.devDependencies });
    expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  });

  it('is in the lock file with the hash of each package', () => {
    // Of packages for other systems npm knows no hash here.
    const needed = locked.filter(([, { optional, link }]) => optional !== true && link !== true);
    expect(needed.filter(([, { integrity }]) => !/^sha512-/.test(integrity ?? '')).map(([path]) => path)).toEqual([]);
    expect(needed.length).toBeGreaterThan(100);
  });

  it('runs no scripts when it is installed but those that package.json names', () => {
    const scripted = locked.filter(([, { hasInstallScript, dev }]) => hasInstallScript === true && dev !== true);
    const names = scripted.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 13));
    expect(names.filter((name) => !(name in own.allowScripts))).toEqual([]);
  });

  it('is told whole in a bill of materials', () => {
    // With `--omit=dev` npm leaves out what development needs as well.
    const text = execFileSync('npm', ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'], {
      ...{ cwd: root, encoding: 'utf8', maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'ignore'] },
    });
    const bill = JSON.parse(text) as {
      bomFormat: string;
      components: { name: string; version: string; group?: string }[];
    };
    const told = new Set(
      bill.components.map(({ name, group, version }) => `${group ? `${group}/` : ''}${name}@${version}`),
    );
    expect(bill.bomFormat).toBe('CycloneDX');
    const needed = Object.entries(own.dependencies).map(([name, version]) => `${name}@${version}`);
    expect(needed.filter((name) => !told.has(name))).toEqual([]);
  });
});
