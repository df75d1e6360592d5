import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { loadSettings } from '../../src/runtime/settings/index.js';
import { promtool } from '../harness/servers/index.js';
import { kubernetesTool, pythonTool, TOOLS_MAX_MS, type Tool, use } from '../harness/tools.js';
import { root } from '../house/source.js';
import { expectGenerated } from './kit/generated.js';
import { essence, FOREIGN, type Manifest, manifestsOf } from './kit/manifests.js';

const CHART = join(root, 'k8s/chart');
const KUBERNETES = '1.32';
const STRICTLY = ['--strict', '--quiet', '-k', KUBERNETES];
const ALL = [
  ...['monitoring.serviceMonitor.enabled=true', 'monitoring.prometheusRule.enabled=true'],
  ...['monitoring.dashboards.enabled=true', 'autoscaling.enabled=true'],
  'access.enabled=true',
];
/** Checks of checkov that do not hold, and why. */
const LET_BE = {
  CKV_K8S_11: 'no limit of CPU: it would stop a lane in the middle of its work; requests share the node',
  CKV_K8S_15: 'images are pulled when they are not there: their tags are versions',
  CKV_K8S_21: 'the namespace is the user’s',
  CKV_K8S_35: 'a URL with a password is read from the environment; a file can be given instead',
  CKV_K8S_40: 'the image’s user is 1000, whom volumes belong to',
  CKV_K8S_43: 'the digest is that of the user’s own registry',
};

interface PodManifest extends Manifest {
  readonly spec: {
    readonly containers: readonly [{ readonly command: string[]; readonly volumeMounts: { readonly name: string }[] }];
    readonly volumes: { readonly name: string }[];
  };
}

let folder: string;
let charts: Tool | null;
let kustomize: Tool | null;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stakeout-manifests-'));
  charts = await kubernetesTool('helm');
  kustomize = await kubernetesTool('kubectl');
  for (const [name, tool] of [
    ['helm', charts],
    ['kubectl', kustomize],
  ] as const) {
    if (tool === null)
      process.stderr.write(`NOT CHECKED: ${name} is not installed, and there is none to fetch for this machine\n`);
  }
}, TOOLS_MAX_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function rendered(tool: Tool, ...args: readonly string[]): readonly Manifest[] {
  const { status, stdout, stderr } = use(tool, ...args);
  if (status !== 0) throw new Error(stderr);
  return manifestsOf(stdout);
}

const chart = (tool: Tool, ...set: readonly string[]): readonly Manifest[] =>
  rendered(tool, 'template', 'stakeout', CHART, '--kube-version', KUBERNETES, ...set.flatMap((one) => ['--set', one]));

const overlay = (tool: Tool, name: string): readonly Manifest[] => rendered(tool, 'kustomize', join(root, 'k8s', name));

type Rendered = readonly (readonly [name: string, manifests: readonly Manifest[]])[];
let known: Rendered | null = null;

/** All that can be rendered here. */
function everything(): Rendered {
  known ??= [
    ...(kustomize === null
      ? []
      : ['base', 'overlays/dev', 'overlays/production'].map((name) => [name, overlay(kustomize!, name)] as const)),
    ...(charts === null ? [] : [['chart', chart(charts)] as const, ['chart-with-all', chart(charts, ...ALL)] as const]),
  ];
  return known;
}

const fileOf = (name: string, manifests: readonly Manifest[]): string => {
  const file = join(folder, `${name.replaceAll('/', '-')}.yaml`);
  writeFileSync(file, manifests.map((manifest) => stringify(manifest, { lineWidth: 0 })).join('---\n'));
  return file;
};

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const one = (manifests: readonly Manifest[], kind: string, name = 'stakeout'): Manifest =>
  manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name)!;

describe('copies for Kubernetes', () => {
  it('of the alert rules are up to date', () => {
    const rules = read('deploy/prometheus/stakeout.rules.yaml');
    expectGenerated('k8s/chart/files/stakeout.rules.yaml', rules);
    const rule = { apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', metadata: { name: 'stakeout' } };
    const head = '# Made of deploy/prometheus/stakeout.rules.yaml: UPDATE_DEPLOY=1 npm test -- test/deploy\n';
    const text = `${head}${stringify({ ...rule, spec: parse(rules) as object }, { lineWidth: 0 })}`;
    expectGenerated('k8s/components/monitoring/prometheus-rule.yaml', text);
  });
});

describe('the manifests', () => {
  it(
    'hold against the schemas of Kubernetes, with nothing that these do not know',
    async () => {
      const validate = await pythonTool('kubernetes-validate', '1.37.0');
      const files = everything().map(([name, manifests]) => {
        const own = manifests.filter(({ kind }) => !FOREIGN.includes(kind));
        expect(own.length).toBeGreaterThan(5);
        return fileOf(name, own);
      });
      expect(use(validate, ...STRICTLY, ...files)).toMatchObject({ status: 0 });
    },
    TOOLS_MAX_MS,
  );

  it(
    'are safe by what checkov knows, but for what is let be',
    async () => {
      const checkov = await pythonTool('checkov', '3.3.30');
      // It takes ten seconds, most of them to begin: once for all, and those that have everything.
      const files = everything()
        .filter(([name]) => ['overlays/production', 'chart-with-all'].includes(name))
        .map(([name, manifests]) =>
          fileOf(
            name,
            manifests.filter(({ kind }) => !FOREIGN.includes(kind)),
          ),
        );
      if (files.length === 0) return;
      const { stdout, stderr } = use(
        checkov,
        ...['--framework', 'kubernetes', '--compact', '--skip-download', '--output', 'json'],
        ...['--skip-check', Object.keys(LET_BE).join(',')],
        ...files.flatMap((file) => ['--file', file]),
      );
      const { failed_checks, passed_checks } = (JSON.parse(stdout || stderr) as Checked).results;
      expect(failed_checks.map((check) => `${check.file_path}: ${check.check_id} ${check.check_name}`)).toEqual([]);
      for (const file of files) {
        const passed = passed_checks.filter(({ file_path }) => basename(file_path) === basename(file));
        expect(passed.length).toBeGreaterThan(50);
      }
    },
    TOOLS_MAX_MS,
  );

  it('say the same in the chart and in the overlay for production', () => {
    if (charts === null || kustomize === null) return;
    const byChart = chart(charts, ...ALL.filter((set) => !set.includes('dashboards')));
    const byOverlay = overlay(kustomize, 'overlays/production');
    const named = ({ kind, metadata }: Manifest): string => `${kind}/${essence(metadata.name) as string}`;
    expect(byChart.map(named).toSorted()).toEqual(byOverlay.map(named).toSorted());
    for (const manifest of byOverlay) {
      const same = byChart.find((other) => named(other) === named(manifest))!;
      if (manifest.kind === 'ConfigMap') {
        const settings = ({ data }: Manifest): unknown => parse((data as Record<string, string>)['stakeout.yaml']!);
        expect(settings(same)).toEqual(settings(manifest));
      } else {
        expect(essence(same.spec)).toEqual(essence(manifest.spec));
      }
    }
  });

  it('select the pods that they mean', () => {
    for (const [, manifests] of everything()) {
      const set = one(manifests, 'StatefulSet') as Manifest & {
        readonly spec: { readonly template: { readonly metadata: { readonly labels: Record<string, string> } } };
      };
      const { labels } = set.spec.template.metadata;
      const selectors = manifests
        .filter(({ kind }) => ['Service', 'PodDisruptionBudget', 'NetworkPolicy', 'StatefulSet'].includes(kind))
        .map(({ spec }) => {
          const { selector, podSelector } = spec as Record<string, Record<string, unknown> | undefined>;
          return (selector?.matchLabels ?? podSelector?.matchLabels ?? selector) as Record<string, string>;
        });
      expect(selectors.length).toBeGreaterThan(3);
      for (const selector of selectors) expect(labels).toMatchObject(selector);
    }
  });

  it('do not take restoring for death, and stop in good order', () => {
    for (const [, manifests] of everything()) {
      const { spec } = one(manifests, 'StatefulSet') as unknown as {
        spec: {
          updateStrategy: object;
          template: { spec: Record<string, unknown> & { containers: Record<string, unknown>[] } };
        };
      };
      const [container] = spec.template.spec.containers;
      for (const probe of ['startupProbe', 'livenessProbe']) {
        expect(container![probe]).toMatchObject({ httpGet: { path: '/health/live' } });
      }
      expect(container!.readinessProbe).toMatchObject({ httpGet: { path: '/health/ready' } });
      expect(spec.updateStrategy).toEqual({ type: 'RollingUpdate' });
      expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(45);
    }
  });

  it(
    'give the pod in which a savepoint is restored: one that only waits, on the volume of the first',
    async () => {
      const [, program = ''] = /\| jq '([^']+)'/.exec(read('docs/kubernetes.md')) ?? [];
      const validate = await pythonTool('kubernetes-validate', '1.37.0');
      const files: string[] = [];
      for (const [name, manifests] of everything()) {
        const set = one(manifests, 'StatefulSet') as Manifest & { readonly spec: { volumeClaimTemplates: Manifest[] } };
        const input = JSON.stringify(set);
        const { stdout } = spawnSync('jq', [program], { input, encoding: 'utf8' });
        const pod = JSON.parse(stdout) as PodManifest;
        files.push(fileOf(`restore-${name}`, [pod]));
        const [{ command, volumeMounts }] = pod.spec.containers;
        expect(command).toEqual(['sleep', 'infinity']);
        const names = (of: readonly { readonly name: string }[]) => of.map((each) => each.name).toSorted();
        expect(names(pod.spec.volumes)).toEqual(names(volumeMounts));
        const claim = `${set.spec.volumeClaimTemplates[0]!.metadata.name}-${set.metadata.name}-0`;
        expect(pod.spec.volumes).toContainEqual({ name: 'data', persistentVolumeClaim: { claimName: claim } });
      }
      expect(use(validate, ...STRICTLY, ...files)).toMatchObject({ status: 0 });
    },
    TOOLS_MAX_MS,
  );

  it('let nobody in who is not known, where they are for production', () => {
    for (const [name, manifests] of everything()) {
      const { spec } = one(manifests, 'StatefulSet') as unknown as { spec: { template: { spec: AccessPod } } };
      const [{ env, volumeMounts }] = spec.template.spec.containers;
      const given = env.filter((variable) => variable.name.startsWith('STAKEOUT_ACCESS_'));
      const text = ({ value }: { readonly value?: string }): string => value ?? 'x'.repeat(32);
      const loaded = loadSettings({
        env: Object.fromEntries(given.map((variable) => [variable.name, text(variable)])),
      });
      if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
      const isForAll = !['overlays/production', 'chart-with-all'].includes(name);
      expect([name, loaded.settings.access.keysFile]).toEqual([
        name,
        isForAll ? undefined : '/etc/stakeout-access/keys.yaml',
      ]);
      const mounted = volumeMounts.find(({ mountPath }) => mountPath === '/etc/stakeout-access');
      const volume = spec.template.spec.volumes.find((of) => of.name === mounted?.name);
      expect([name, volume?.secret?.secretName]).toEqual([name, isForAll ? undefined : 'stakeout-api-keys']);
    }
  });

  it('scale up to the partitions, on the lag of the group that the service joins', () => {
    const [manifests] = everything().filter(([name]) => name === 'chart-with-all' || name === 'overlays/production');
    if (manifests === undefined) return;
    const { spec } = one(manifests[1], 'ScaledObject') as unknown as {
      spec: { maxReplicaCount: number; triggers: { type: string; metadata: Record<string, string> }[] };
    };
    const loaded = loadSettings({ env: {}, cwd: folder, file: join(root, 'k8s/base/stakeout.yaml') });
    if ('errors' in loaded) throw new Error('the settings do not hold');
    const { kafka, streams } = loaded.settings;
    const [stream] = Object.values(streams);
    expect(spec.maxReplicaCount).toBe(stream!.partitions);
    expect(spec.triggers).toEqual([
      {
        type: 'kafka',
        metadata: expect.objectContaining({
          ...{ bootstrapServers: kafka.brokers!.join(','), consumerGroup: kafka.groupId, topic: stream!.topic },
          allowIdleConsumers: 'false',
        }),
      },
    ]);
    const set = one(manifests[1], 'StatefulSet') as unknown as { spec: { replicas?: number } };
    expect(set.spec.replicas).toBeUndefined();
  });
});

interface AccessPod {
  readonly containers: readonly [
    {
      readonly env: readonly { readonly name: string; readonly value?: string }[];
      readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
    },
  ];
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
}

interface Check {
  readonly check_id: string;
  readonly check_name: string;
  readonly file_path: string;
}

interface Checked {
  readonly results: { readonly failed_checks: readonly Check[]; readonly passed_checks: readonly Check[] };
}

describe('the chart', () => {
  it('is what helm lint takes for well made', () => {
    if (charts === null) return;
    for (const set of [[], ALL]) {
      const args = [
        'lint',
        '--strict',
        '--kube-version',
        KUBERNETES,
        CHART,
        ...set.flatMap((value) => ['--set', value]),
      ];
      expect(use(charts, ...args)).toMatchObject({ status: 0, stdout: expect.stringContaining('0 chart(s) failed') });
    }
  });

  it('refuses values that it does not know', () => {
    if (charts === null) return;
    for (const set of [
      'replica=3',
      'autoscaling.maxReplicas=0',
      'image.pullPolicy=Sometimes',
      'networkPolicy.on=true',
    ]) {
      expect(() => chart(charts!, set)).toThrow(/values don't meet the specifications/);
    }
  });

  it('has the version of the package', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(parse(read('k8s/chart/Chart.yaml'))).toMatchObject({ version, appVersion: version });
  });

  it('gives other releases other names, settings of their own, and pods that roll when these change', () => {
    if (charts === null) return;
    const of = (...set: readonly string[]): readonly Manifest[] =>
      rendered(
        charts!,
        'template',
        'fraud',
        CHART,
        '--kube-version',
        KUBERNETES,
        ...set.flatMap((value) => ['--set', value]),
      );
    const sums = [of(), of('config.lanes=2'), of('patterns.mine\\.yaml=id: mine')].map((manifests) => {
      const set = one(manifests, 'StatefulSet', 'fraud-stakeout');
      return JSON.stringify(set.spec).match(/"checksum\/config":"(\w+)"/)![1];
    });
    expect(new Set(sums).size).toBe(3);
    const texts = one(of('config.lanes=2'), 'ConfigMap', 'fraud-stakeout-config').data as Record<string, string>;
    expect(parse(texts['stakeout.yaml']!)).toMatchObject({ lanes: 2, kafka: { brokers: ['kafka:9092'] } });
  });

  it('carries alert rules that Prometheus takes, with runbooks where they can be read', () => {
    if (charts === null) return;
    const rule = one(
      chart(charts, ...ALL, 'monitoring.prometheusRule.runbooks=https://git.example/stakeout/'),
      'PrometheusRule',
    );
    const file = join(folder, 'rules.yaml');
    writeFileSync(file, stringify(rule.spec));
    expect(promtool(['check', 'rules', file]).status).toBe(0);
    expect(stringify(rule.spec)).toContain(
      'runbook_url: https://git.example/stakeout/docs/runbooks.md#stakeoutlaghigh',
    );
    expect(stringify(rule.spec)).not.toContain('runbook_url: docs/');
  });

  it('carries the dashboards, whole', () => {
    if (charts === null) return;
    const maps = chart(charts, ...ALL).filter(({ metadata }) => metadata.labels?.grafana_dashboard === '1');
    const texts = maps.flatMap(({ data }) => Object.values(data as Record<string, string>));
    expect(texts.map((text) => (JSON.parse(text) as { uid: string }).uid).toSorted()).toEqual([
      'stakeout-internals',
      'stakeout-overview',
      'stakeout-patterns',
    ]);
  });
});
