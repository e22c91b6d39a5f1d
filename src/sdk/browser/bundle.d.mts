import type { BuildResult } from 'esbuild';

export function bundle(outfile?: string, entry?: string): Promise<BuildResult<{ metafile: true }>>;
