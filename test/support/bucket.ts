import type { Connection } from '../../src/broker/connection.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'

export interface TestBucket {
  readonly name: string
  put(key: string, value: string): Promise<void>
  remove(key: string, how: 'DEL' | 'PURGE'): Promise<void>
}

let serial = 0

/** A key-value bucket that no other test uses, made as clients of NATS make it. */
export async function freshBucket(connection: Connection, ttlMs = 0): Promise<TestBucket> {
  const name = `BUCKET-${process.pid}-${(serial += 1)}`
  await connection.manager.streams.add({
    name: `KV_${name}`,
    subjects: [`$KV.${name}.>`],
    max_msgs_per_subject: 1,
    allow_rollup_hdrs: true,
    allow_direct: true,
    max_age: ttlMs * 1_000_000,
    duplicate_window: Math.min(ttlMs, 120_000) * 1_000_000,
  })
  const write = async (key: string, value: string, headers: readonly (readonly [string, string])[]): Promise<void> => {
    await publishOnce(connection, { subject: `$KV.${name}.${key}`, headers, data: Buffer.from(value) })
  }
  return {
    name,
    put: (key, value) => write(key, value, []),
    remove: (key, how) =>
      write(key, '', [['KV-Operation', how], ...(how === 'PURGE' ? [['Nats-Rollup', 'sub'] as const] : [])]),
  }
}
