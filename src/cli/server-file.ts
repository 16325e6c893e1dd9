import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { identifyProcess } from '../broker/server-process.js'

const serverFile = z.object({
  url: z.string(),
  /** The `millrace dev` that runs it. */
  pid: z.number().int().positive(),
  startedAt: z.string(),
})

/** The embedded server of the `millrace dev` that runs in a folder, if one does. */
export async function devServer(folder: string): Promise<{ readonly url: string } | undefined> {
  const text = await readFile(pathIn(folder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const parsed = serverFile.safeParse(jsonOf(text))
  if (!parsed.success) return undefined // half written by a dev that was killed: as good as none
  const { url, pid, startedAt } = parsed.data
  const owner = await identifyProcess(pid)
  return owner?.startedAt === startedAt ? { url } : undefined
}

/** Lets other commands in the folder find the server of this process. */
export async function writeDevServer(folder: string, url: string): Promise<void> {
  const { startedAt = '' } = (await identifyProcess(process.pid)) ?? {}
  const path = pathIn(folder)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `${JSON.stringify({ url, pid: process.pid, startedAt })}\n`)
}

export async function removeDevServer(folder: string): Promise<void> {
  await rm(pathIn(folder), { force: true })
}

function pathIn(folder: string): string {
  return join(folder, '.millrace', 'server.json')
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // the schema refuses it
  }
}
