// BullMQ on a Redis of its own: the same events, the same handler. The package is no dependency of this one: it is put into a
// directory of the cache when it is asked for.
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { unpackedDirectory } from '../../test/support/apt-packages.ts'
import { perSecond } from '../harness.ts'
import { startRedis } from './redis-server.ts'

const VERSION = '6'

/** The part of BullMQ that is used. */
export interface BullMq {
  readonly Queue: new (
    name: string,
    options: object,
  ) => {
    add(name: string, data: unknown, options: object): Promise<unknown>
    addBulk(jobs: readonly { name: string; data: unknown; opts?: object }[]): Promise<unknown>
    obliterate(options: object): Promise<void>
    close(): Promise<void>
  }
  readonly Worker: new (
    name: string,
    handle: (job: { readonly data: unknown }) => Promise<unknown>,
    options: object,
  ) => {
    on(event: 'completed' | 'error', listener: (value: unknown) => void): unknown
    run(): Promise<void>
    close(): Promise<void>
  }
}

export interface Peer {
  readonly version: string
  /** Handles them all. @returns events per second, from the first to the last that is completed in Redis */
  run(events: readonly unknown[], concurrency: number): Promise<number>
  stop(): Promise<void>
}

/** BullMQ, and a Redis for it. */
export interface OpenBullMq {
  readonly bullmq: BullMq
  readonly version: string
  readonly connection: object
  stop(): Promise<void>
}

/** As people use it: what fails is tried again, what is done is not kept. */
export const BULLMQ_JOB = { removeOnComplete: true, attempts: 8, backoff: { type: 'exponential', delay: 200 } }

/** @throws that it is not here and cannot be had */
export async function openBullMq(): Promise<OpenBullMq> {
  const { bullmq, version } = await loadBullMq()
  const redis = await startRedis()
  const connection = { host: '127.0.0.1', port: redis.port, maxRetriesPerRequest: null }
  return { bullmq, version, connection, stop: redis.stop }
}

/** @throws that it is not here and cannot be had */
export async function startBullMq(): Promise<Peer> {
  const { bullmq, version, connection, stop } = await openBullMq()
  let count = 0
  return {
    version,
    stop,
    run: async (events, concurrency) => {
      const name = `bench-${(count += 1)}`
      const queue = new bullmq.Queue(name, { connection })
      for (let at = 0; at < events.length; at += 1_000)
        await queue.addBulk(events.slice(at, at + 1_000).map((data) => ({ name: 'paid', data, opts: BULLMQ_JOB })))
      let left = events.length
      let failed: unknown
      const worker = new bullmq.Worker(name, async () => undefined, { connection, concurrency, autorun: false })
      const done = new Promise<void>((resolve) => {
        worker.on('completed', () => ((left -= 1) === 0 ? resolve() : undefined))
        worker.on('error', (error) => (failed = error))
      })
      const rate = await perSecond(events.length, async () => {
        void worker.run()
        await done
      })
      await worker.close()
      await queue.obliterate({ force: true })
      await queue.close()
      if (failed !== undefined) throw failed
      return rate
    },
  }
}

async function loadBullMq(): Promise<{ readonly bullmq: BullMq; readonly version: string }> {
  const directory = unpackedDirectory('bullmq-6.1')
  const manifest = join(directory, 'node_modules', 'bullmq', 'package.json')
  const version = (): Promise<string | undefined> =>
    readFile(manifest, 'utf8').then(
      (text) => (JSON.parse(text) as { version: string }).version,
      () => undefined, // not there yet
    )
  if ((await version()) === undefined) {
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'package.json'), '{ "private": true }\n')
    const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', `bullmq@${VERSION}`, `ioredis@5`]
    await promisify(execFile)('npm', args, { cwd: directory, timeout: 180_000 })
  }
  const bullmq = createRequire(join(directory, 'package.json'))('bullmq') as BullMq
  return { bullmq, version: (await version()) ?? VERSION }
}
