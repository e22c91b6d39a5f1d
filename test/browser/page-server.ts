import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One file that a page server has, by its path. */
export interface PageFile {
  readonly type: string;
  readonly body: string | Buffer;
}

/** A page without content that loads these scripts as modules. */
export function pageWith(...scripts: readonly string[]): PageFile {
  const tags = scripts.map((src) => `<script type="module" src="${src}"></script>`).join('');
  const icon = '<link rel="icon" href="data:,">';
  return {
    type: 'text/html;charset=utf-8',
    body: `<!doctype html><html lang="en"><title>test</title>${icon}${tags}</html>`,
  };
}

/** A script's text. */
export function script(body: string | Buffer): PageFile {
  return { type: 'text/javascript;charset=utf-8', body };
}

/** Serves pages of tests from memory, on a free port of 127.0.0.1: browsers call that secure, as WebTransport needs. */
export class PageServer {
  private constructor(private readonly server: Server) {}

  /** @param files by path, such as `/`; they may be added later. */
  static async start(files: ReadonlyMap<string, PageFile>): Promise<PageServer> {
    const server = createServer((request, answer) => {
      const path = new URL(request.url ?? '/', 'http://page').pathname;
      const file = files.get(path);
      if (file === undefined) answer.writeHead(404).end();
      else answer.writeHead(200, { 'content-type': file.type }).end(file.body);
    });
    await new Promise<void>((done, fail) => {
      server.once('error', fail).listen(0, '127.0.0.1', done);
    });
    return new PageServer(server);
  }

  /** `http://127.0.0.1:PORT`: what pages from here say as their origin. */
  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The same pages from another host: to a browser they are of another site, and as secure. */
  get otherOrigin(): string {
    return this.origin.replace('127.0.0.1', 'localhost');
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
