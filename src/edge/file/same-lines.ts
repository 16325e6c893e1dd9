// Whether a file has what is about to be written to it.
import type { FileHandle } from 'node:fs/promises'

const LINE_END = 10

/** Whether what is there begins as these bytes, or they as it does. */
export async function agrees(handle: FileHandle, offset: number, bytes: Uint8Array): Promise<boolean> {
  const found = Buffer.alloc(bytes.length)
  let length = 0
  while (length < found.length) {
    const { bytesRead } = await handle.read(found, length, found.length - length, offset + length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return found.subarray(0, length).equals(bytes.subarray(0, length))
}

/** Whether its first line is that of these bytes, or broke off before it ended. */
export async function beginsAlike(handle: FileHandle, bytes: Uint8Array): Promise<boolean> {
  const first = bytes.subarray(0, bytes.indexOf(LINE_END) + 1)
  if (await agrees(handle, 0, first)) return true
  const part = Buffer.alloc(65_536)
  for (let at = 0; ;) {
    const { bytesRead } = await handle.read(part, 0, part.length, at)
    if (bytesRead === 0) return true
    if (part.subarray(0, bytesRead).includes(LINE_END)) return false
    at += bytesRead
  }
}
