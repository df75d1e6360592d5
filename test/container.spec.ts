import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { formatSettingsError, loadSettings, type Settings } from '../src/runtime/settings/index.js';
import { copied, parseDockerfile, stagesOf, variables } from './house/dockerfile.js';
import { filesBelow, root } from './house/source.js';

/** What needs no container engine to be checked. `docs/operations.md` says what does. */
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const stages = stagesOf(parseDockerfile(read('Dockerfile')));
const instructions = stages.flatMap((stage) => stage.instructions);
const final = stages.at(-1)?.instructions ?? [];
const imageEnv = Object.assign({}, ...final.filter(({ name }) => name === 'ENV').map(variables)) as Record<
  string,
  string
>;

/** The settings that an environment and a config file make, or the test fails with everything that is wrong. */
function settingsOf(env: Readonly<Record<string, string>>, config?: string): Settings {
  const folder = mkdtempSync(join(tmpdir(), 'stakeout-container-'));
  try {
    const file = config === undefined ? undefined : join(folder, 'stakeout.yaml');
    if (file !== undefined) writeFileSync(file, config ?? '');
    const loaded = loadSettings({ env: { ...imageEnv, ...env }, cwd: '/app', file });
    if ('errors' in loaded) throw new Error(loaded.errors.map(formatSettingsError).join('\n'));
    return loaded.settings;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the Dockerfile', () => {
  it('copies only what is there, and what .dockerignore lets through', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const sources = instructions
      .filter(({ name, flags }) => name === 'COPY' && !flags.has('from'))
      .flatMap((copy) => copied(copy).sources);
    expect(sources.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(sources.map((path) => posix.normalize(path)).filter((path) => !allowed.includes(path))).toEqual([]);
    expect(allowed.filter((path) => !sources.map((source) => posix.normalize(source)).includes(path))).toEqual([]);
  });

  it('takes from stages that exist, and fetches nothing from elsewhere', () => {
    const from = instructions.flatMap(({ flags }) => flags.get('from') ?? []);
    expect(from.filter((name) => !stages.some((stage) => stage.name === name))).toEqual([]);
    expect(instructions.filter(({ name, text }) => name === 'ADD' || /\b(curl|wget)\b|https?:/.test(text))).toEqual([]);
  });

  it('copies everything that the program reads at run time', () => {
    const targets = final.filter(({ name }) => name === 'COPY').flatMap((copy) => copied(copy).sources);
    for (const needed of ['/app/dist', '/app/node_modules', 'package.json', 'bin', 'patterns', 'schemas', 'LICENSE']) {
      expect(targets).toContain(needed);
    }
  });

  it('has the Node that the project pins, in every stage', () => {
    const pinned = (JSON.parse(read('package.json')) as { devDependencies: { node: string } }).devDependencies.node;
    expect(read('Dockerfile')).toContain(`ARG NODE_VERSION=${pinned}\n`);
    expect(stages.map(({ image }) => image.split('-')[0])).toEqual(
      stages.map(() => ['node:$', '{NODE_VERSION}'].join('')),
    );
  });

  it('leaves development dependencies behind', () => {
    const runs = stages[0]?.instructions.filter(({ name }) => name === 'RUN').map(({ text }) => text) ?? [];
    expect(runs.findIndex((text) => text.includes('npm prune --omit=dev'))).toBe(runs.length - 1);
  });

  it('runs as a numbered user that is not root, with its data in a volume', () => {
    const users = final.filter(({ name }) => name === 'USER');
    expect(users.at(-1)?.text).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(final.find(({ name }) => name === 'VOLUME')?.text).toBe('/data');
    expect(settingsOf({})).toMatchObject({ data: { directory: '/data' }, http: { host: '0.0.0.0', port: 8080 } });
  });

  it('starts the program itself, not a shell, so that it gets the signal to stop', () => {
    const entry = final.find(({ name }) => name === 'ENTRYPOINT');
    const command = JSON.parse(entry?.text ?? 'null') as string[];
    expect(command).toEqual(['node', 'bin/stakeout.mjs']);
    expect(final.find(({ name }) => name === 'STOPSIGNAL')?.text).toBe('SIGTERM');
  });
});

describe('the health check of the image', () => {
  it('runs a file that is copied', () => {
    const check = final.find(({ name }) => name === 'HEALTHCHECK');
    expect(check?.text).toMatch(/CMD \["node", "deploy\/healthcheck.mjs"\]$/);
  });

  it.each([
    [200, 0, ''],
    [503, 1, '/health/live answered 503\n'],
  ])('asks whether the service lives: %i ends with %i', async (answer, code, said) => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(answer).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await healthcheck(port)).toEqual({ code, said });
    expect(asked).toEqual(['/health/live']);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('ends with 1 when nothing listens', async () => {
    const { code, said } = await healthcheck(1);
    expect(code).toBe(1);
    expect(said).toMatch(/^no answer from \/health\/live at port 1: /);
  });
});

function healthcheck(port: number): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [join(root, 'deploy/healthcheck.mjs')], {
    env: { STAKEOUT_HTTP_PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, said })));
}

interface ComposeService {
  readonly image?: string;
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
  readonly cap_drop?: readonly string[];
}

describe('the Compose file', () => {
  const compose = parse(read('compose.yaml')) as {
    readonly services: Readonly<Record<string, ComposeService>>;
    readonly volumes: Readonly<Record<string, unknown>>;
  };
  const services = Object.entries(compose.services);

  it('has Kafka, a registry, Redis, Prometheus, Grafana and the service, in versions that are named', () => {
    const names = ['grafana', 'kafka', 'prometheus', 'redis', 'registry', 'stakeout'];
    expect(services.map(([name]) => name).sort()).toEqual(names);
    expect(services.filter(([, { image }]) => !/:[^:]*\d/.test(image ?? ''))).toEqual([]);
  });

  it('mounts files and volumes that exist', () => {
    const sources = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0] ?? ''));
    const missing = sources.filter((source) => {
      return source.startsWith('.') ? !existsSync(join(root, source)) : !(source in compose.volumes);
    });
    expect(missing).toEqual([]);
  });

  it('waits for services that exist, and for health only where it is checked', () => {
    const waits = services.flatMap(([, { depends_on = {} }]) => Object.entries(depends_on));
    const wrong = waits.filter(([name, { condition }]) => {
      const service = compose.services[name];
      return service === undefined || (condition === 'service_healthy' && service.healthcheck === undefined);
    });
    expect(wrong).toEqual([]);
    expect(Object.keys(compose.services.stakeout?.depends_on ?? {}).sort()).toEqual(['kafka', 'redis', 'registry']);
  });

  it('gives the service only settings that it knows, of the names of this file', () => {
    const env = compose.services.stakeout?.environment ?? {};
    const settings = settingsOf(Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)])));
    expect(settings).toMatchObject({
      kafka: { brokers: ['kafka:9092'] },
      redis: { url: 'redis://redis:6379' },
      registry: { url: 'http://registry:8080/apis/ccompat/v7' },
      demo: { enabled: true },
    });
    expect(compose.services.kafka?.environment?.KAFKA_ADVERTISED_LISTENERS).toContain('INTERNAL://kafka:9092');
    // A name that settings do not know and that has no prefix of ours would be ignored without a word.
    const known = ['KAFKA_BROKERS', 'REDIS_URL', 'SCHEMA_REGISTRY_URL'];
    expect(Object.keys(env).filter((name) => !name.startsWith('STAKEOUT_') && !known.includes(name))).toEqual([]);
  });

  it('asks callers who they are where the file for that is added, with secrets that the service can read', () => {
    const { services: own, secrets } = parse(read('compose.access.yaml')) as {
      readonly services: { readonly stakeout: { readonly environment: Record<string, string>; secrets: string[] } };
      readonly secrets: Readonly<Record<string, { readonly file: string }>>;
    };
    const { environment, secrets: given } = own.stakeout;
    expect(Object.values(environment)).toEqual(given.map((name) => `/run/secrets/${name}`));
    expect(Object.keys(secrets)).toEqual(given);
    const key = join(mkdtempSync(join(tmpdir(), 'stakeout-compose-')), 'key');
    writeFileSync(key, `${'k'.repeat(48)}\n`);
    const settings = settingsOf({ ...environment, STAKEOUT_ACCESS_PSEUDONYM_KEY_FILE: key });
    expect(settings.access).toMatchObject({ keysFile: '/run/secrets/stakeout-keys', pseudonymKey: 'k'.repeat(48) });
  });

  it('shuts the service in: no writable root, no capabilities', () => {
    expect(compose.services.stakeout).toMatchObject({
      read_only: true,
      tmpfs: ['/tmp'],
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
  });

  it('opens ports on this machine only', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('lets Prometheus scrape the service where it listens', () => {
    const config = parse(read('deploy/prometheus/prometheus.yml')) as {
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    };
    const targets = config.scrape_configs.flatMap(({ static_configs }) => static_configs.flatMap((c) => c.targets));
    expect(targets).toEqual(['stakeout:8080']);
  });
});

describe('the manifests for Kubernetes', () => {
  // What Helm makes of the templates, `test/deploy` looks at.
  const manifests = filesBelow('k8s').filter((path) => path.endsWith('.yaml') && !path.includes('/templates/'));

  it('are YAML, and every file that a kustomization names is there', () => {
    for (const path of manifests) {
      expect(parseAllDocuments(read(path)).flatMap(({ errors }) => errors)).toEqual([]);
    }
    const named = manifests
      .filter((path) => path.endsWith('/kustomization.yaml'))
      .flatMap((path) => {
        const {
          resources = [],
          components = [],
          configMapGenerator = [],
        } = parse(read(path)) as {
          resources?: string[];
          components?: string[];
          configMapGenerator?: { files: string[] }[];
        };
        const files = [...resources, ...components, ...configMapGenerator.flatMap((map) => map.files)];
        return files.map((file) => posix.join(posix.dirname(path), file));
      });
    expect(named.length).toBeGreaterThan(4);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('name no namespace: that is the user’s', () => {
    expect(manifests.filter((path) => /^\s*namespace:/m.test(read(path)))).toEqual([]);
  });

  it('carry settings that the service accepts', () => {
    expect(settingsOf({}, read('k8s/base/stakeout.yaml'))).toMatchObject({
      kafka: { brokers: ['kafka:9092'] },
      data: { directory: '/data' },
      demo: { enabled: false },
    });
    const dev = settingsOf({}, read('k8s/overlays/dev/stakeout.yaml'));
    expect(dev).toMatchObject({ demo: { enabled: true } });
    expect(dev.kafka.brokers).toBeUndefined();
  });

  const set = parse(read('k8s/base/statefulset.yaml')) as {
    spec: {
      serviceName: string;
      template: {
        spec: {
          securityContext: object;
          terminationGracePeriodSeconds: number;
          containers: {
            env: { name: string }[];
            securityContext: object;
            volumeMounts: { name: string; mountPath: string }[];
            [probe: string]: unknown;
          }[];
          volumes: { name: string }[];
        };
      };
      volumeClaimTemplates: { metadata: { name: string } }[];
    };
  };
  const pod = set.spec.template.spec;
  const [container] = pod.containers;

  it('keep to the restricted profile of pod security', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('run as the user of the image', () => {
    const [user, group] = (final.filter(({ name }) => name === 'USER').at(-1)?.text ?? '').split(':').map(Number);
    expect(pod.securityContext).toMatchObject({ runAsUser: user, runAsGroup: group, fsGroup: group });
  });

  it('mount what they declare, and state on a claim of the pod’s own', () => {
    const declared = [
      ...pod.volumes.map(({ name }) => name),
      ...set.spec.volumeClaimTemplates.map((c) => c.metadata.name),
    ];
    expect(container?.volumeMounts.map(({ name }) => name).sort()).toEqual(declared.sort());
    expect(container?.volumeMounts.find(({ mountPath }) => mountPath === '/data')?.name).toBe('data');
  });

  it('ask for health at the port of the service', () => {
    for (const [probe, path] of [
      ['startupProbe', '/health/live'],
      ['livenessProbe', '/health/live'],
      ['readinessProbe', '/health/ready'],
    ] as const) {
      expect(container?.[probe]).toMatchObject({ httpGet: { path, port: 'http' } });
    }
    expect(container?.ports).toEqual([{ name: 'http', containerPort: settingsOf({}).http.port }]);
  });

  it('set only variables that the service knows, and point at the mounted settings', () => {
    expect(container?.env.map(({ name }) => name)).toEqual([
      'STAKEOUT_CONFIG',
      'STAKEOUT_KAFKA_TRANSACTIONAL_ID',
      'POD_IP',
      'STAKEOUT_HTTP_ADVERTISE',
      'REDIS_URL',
      'STAKEOUT_ACCESS_PSEUDONYM_KEY',
    ]);
    // What a value refers to must have been set before it.
    expect(container?.env[3]).toMatchObject({ value: 'http://$(POD_IP):8080' });
    expect(container?.env[0]).toMatchObject({ value: '/etc/stakeout/stakeout.yaml' });
    expect(container?.volumeMounts.find(({ name }) => name === 'config')?.mountPath).toBe('/etc/stakeout');
  });

  it('name the service that gives the pods their names', () => {
    const services = parseAllDocuments(read('k8s/base/service.yaml')).map(
      (document) => document.toJS() as { metadata: { name: string }; spec: { clusterIP?: string } },
    );
    expect(services.find(({ metadata }) => metadata.name === set.spec.serviceName)?.spec.clusterIP).toBe('None');
  });
});
