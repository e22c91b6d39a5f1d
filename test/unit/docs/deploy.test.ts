import { afterAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { loadConfig } from '../../../src/config/load.js';
import { environmentName, leaves } from '../../../src/config/schema.js';
import { expectCommandLine } from './command-line.js';

interface Service {
  readonly image: string;
  readonly command?: string[];
  readonly environment?: Record<string, string>;
  readonly volumes?: string[];
  readonly read_only?: boolean;
  readonly healthcheck?: { readonly disable?: boolean };
}

describe('deploy/compose.yaml', () => {
  const compose = parse(readFileSync('deploy/compose.yaml', 'utf8'), { merge: true }) as {
    readonly services: Record<string, Service>;
    readonly volumes: Record<string, unknown>;
  };
  const services = Object.entries(compose.services);
  const ours = services.filter(([, { image }]) => image === 'gatesvr');

  it('has a gateway and an upstream for each zone, each at its own name', () => {
    const zones = ['001', '002', '003', '004', '005', '006'];
    expect(ours.map(([name]) => name)).toEqual([
      'gateway',
      ...zones.map((zone) => `upstream-${zone}`),
    ]);
    for (const zone of zones) {
      const command = compose.services[`upstream-${zone}`]?.command?.join(' ');
      expect(command).toContain(`--zone ${zone} `);
      expect(command).toContain(`--advertise upstream-${zone}:9001 `);
    }
  });

  it.each(ours)('%s is called with what the program knows', (name, service) => {
    expectCommandLine(service.command ?? []);
    const variables = leaves().map(([path]) => environmentName(path));
    for (const variable of Object.keys(service.environment ?? {})) {
      expect(variables).toContain(variable);
    }
    expect(service.read_only).toBe(true);
    expect(service.healthcheck?.disable ?? false).toBe(name !== 'gateway');
  });

  it.each(ours)('%s mounts what exists', (_, { volumes = [] }) => {
    for (const [source = ''] of volumes.map((volume) => volume.split(':'))) {
      if (source.startsWith('.'))
        expect([source, existsSync(join('deploy', source))]).toEqual([source, true]);
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
  });
});

describe('deploy/systemd', () => {
  const unit = readFileSync('deploy/systemd/gatesvr.service', 'utf8');
  const dockerfile = readFileSync('Dockerfile', 'utf8');

  it('starts what the program knows, from where the image has it, too', () => {
    const starts = [...unit.matchAll(/^ExecStart(?:Pre)?=\S+ (\S+) (.*)$/gm)];
    expect(starts).toHaveLength(2);
    for (const [, script = '', line = ''] of starts) {
      expect(script).toBe('/opt/gatesvr/dist/cli/main.js');
      expectCommandLine(line.split(' '));
    }
    expect(dockerfile).toContain('/app/dist/cli/main.js');
    expect(existsSync('src/cli/main.ts')).toBe(true);
  });

  it('and the image keep state in the same folder', () => {
    expect(unit).toContain('WorkingDirectory=/var/lib/gatesvr\n');
    expect(dockerfile).toContain('WORKDIR /var/lib/gatesvr\n');
  });

  it('may be given ports below 1024, by lines that the unit denies', () => {
    const dropIn = readFileSync('deploy/systemd/low-ports.conf', 'utf8');
    const settings = [...dropIn.matchAll(/^(\w+)=(.*)$/gm)];
    expect(settings.length).toBe(3);
    for (const [, key, value] of settings) {
      expect(unit).toMatch(new RegExp(`^${key}=`, 'm'));
      expect(unit).not.toContain(`\n${key}=${value}\n`);
    }
  });

  it('has a configuration without a problem, but for the certificate that it waits for', () => {
    const file = 'deploy/systemd/gatesvr.yaml';
    const { config, warnings } = loadConfig({ file, env: {}, flags: {} });
    expect(config.server.certFile).toBe('/etc/gatesvr/server.crt');
    expect(warnings).toEqual([]);
  });
});

describe('how long a stop may take', () => {
  const { server, tracing, backup } = loadConfig({ env: {}, flags: {} }).config;
  const longestMs =
    2 * server.drainTimeout + 5_000 + tracing.timeout + 2 * backup.heartbeat.timeout;

  it('is what OPERATIONS.md says', () => {
    expect(readFileSync('docs/OPERATIONS.md', 'utf8')).toContain(
      `which is ${longestMs / 1_000} s with the defaults`,
    );
  });

  it.each([
    ['deploy/systemd/gatesvr.service', /^TimeoutStopSec=(\d+)$/m],
    ['deploy/compose.yaml', /^ +stop_grace_period: (\d+)s$/m],
    ['Makefile', /--stop-timeout (\d+) /],
  ])('is less than %s waits', (file, pattern) => {
    const seconds = Number(pattern.exec(readFileSync(file, 'utf8'))?.[1]);
    expect(seconds * 1_000).toBeGreaterThan(longestMs);
  });
});

describe('a node_modules without development packages', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatesvr-make-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What make would do for `make deps`. */
  function planned(): string {
    const { status, stdout } = spawnSync('make', ['-n', 'deps'], { cwd: folder, encoding: 'utf8' });
    expect(status).toBe(0);
    return stdout;
  }

  it('is installed anew by the next build, though npm prune left the file of an install', () => {
    for (const file of ['Makefile', 'package-lock.json']) copyFileSync(file, join(folder, file));
    mkdirSync(join(folder, 'node_modules', 'typescript'), { recursive: true });
    writeFileSync(join(folder, 'node_modules', 'typescript', 'package.json'), '{}');
    writeFileSync(join(folder, 'node_modules', '.package-lock.json'), '{}');
    expect(planned()).not.toContain('npm install');
    rmSync(join(folder, 'node_modules', 'typescript'), { recursive: true });
    expect(planned()).toContain('npm install');
  });

  it('is made beside the sources, never in them', () => {
    expect(readFileSync('deploy/README.md', 'utf8')).not.toContain('npm prune');
    expect(readFileSync('Makefile', 'utf8')).toMatch(/\tcd stage && npm prune/);
  });
});
