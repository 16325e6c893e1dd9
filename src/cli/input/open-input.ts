import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { addAbortSignal, type Readable } from 'node:stream'
import { fault, isFault, messageOf } from '../../error/millrace-error.js'
import type { CliContext } from '../context.js'

/** An input of lines: a file, or standard input for `-`. */
export interface Input {
  /** For messages: the path as it was given, or `standard input`. */
  readonly name: string
  /** The last part of the path, or `stdin`: part of the identity of events without an id. */
  readonly id: string
  /** In bytes; undefined when it is not known. */
  readonly size: number | undefined
  /** Bytes read so far. */
  readonly read: number
  /** Ends, without an error, when the command is asked to stop. @throws INPUT_UNREADABLE */
  chunks(): AsyncGenerator<Uint8Array>
}

/** @throws INPUT_UNREADABLE when the file is not there or may not be read */
export async function openInput(context: Pick<CliContext, 'input' | 'signal'>, path: string): Promise<Input> {
  const isStdin = path === '-'
  const name = isStdin ? 'standard input' : path
  const size = isStdin ? undefined : await sizeOf(path)
  const stream = isStdin ? (context.input as Readable) : createReadStream(path, { highWaterMark: 256 * 1024 })
  let read = 0
  return {
    name,
    id: isStdin ? 'stdin' : basename(path),
    size,
    get read() {
      return read
    },
    async *chunks() {
      try {
        for await (const chunk of addAbortSignal(context.signal, stream)) {
          read += (chunk as Uint8Array).length
          yield chunk as Uint8Array
        }
      } catch (error) {
        if (context.signal.aborted) return
        throw isFault(error) ? error : fault('INPUT_UNREADABLE', `${name}: ${messageOf(error)}`, { cause: error })
      }
    },
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const file = await open(path)
    try {
      const stats = await file.stat()
      if (stats.isDirectory()) throw fault('INPUT_UNREADABLE', `${path} is a folder`)
      return stats.isFile() ? stats.size : undefined
    } finally {
      await file.close()
    }
  } catch (error) {
    throw isFault(error) ? error : fault('INPUT_UNREADABLE', messageOf(error), { cause: error })
  }
}
