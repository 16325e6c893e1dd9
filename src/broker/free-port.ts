import { createServer } from 'node:net'
import { fault } from '../error/millrace-error.js'

/**
 * Below what systems give to outgoing connections and to whoever listens on “any” port (from 32,768 on Linux), and above
 * what programs use by habit.
 */
const FIRST = 10_000
const LAST = 32_767
const TRIES = 100

/**
 * A port of this machine that nobody listens on now and that the system gives to nobody by itself: a server that ends
 * finds it free when it is started again, as far as no other program asks for this very one meanwhile.
 * @param chance from 0 to below 1
 * @throws SERVER_PORT_BUSY after a hundred tries
 */
export async function freePort(host: string, chance: () => number): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = FIRST + Math.floor(chance() * (LAST + 1 - FIRST))
    if (await isFree(host, port)) return port
  }
  throw fault('SERVER_PORT_BUSY', `${host}: none of ${TRIES} ports between ${FIRST} and ${LAST} is free`)
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      // EACCES: kept by the system, as on Windows; another host’s address is nothing that another port would mend
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false)
      else reject(fault('SERVER_START_FAILED', `${host}: ${error.message}`, { cause: error }))
    })
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}
