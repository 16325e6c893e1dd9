// The least of MQTT 3.1.1 that a device needs: it connects, publishes with QoS 1, and waits until it is acknowledged.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes])
}

const packet = (head: number, body: Buffer): Buffer => {
  const length: number[] = []
  for (let rest = body.length; length.length === 0 || rest > 0; rest >>= 7)
    length.push((rest & 127) | (rest > 127 ? 128 : 0))
  return Buffer.concat([Buffer.from([head, ...length]), body])
}

export class MqttDevice {
  readonly #socket: Socket
  #id = 0

  static async connect(port: number): Promise<MqttDevice> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const device = new MqttDevice(socket)
    socket.write(packet(0x10, Buffer.concat([text('MQTT'), Buffer.from([4, 2, 0, 60]), text('device')])))
    const [answer] = (await once(socket, 'data')) as [Buffer]
    if (answer[0] !== 0x20 || answer[3] !== 0) throw new Error(`refused: ${answer.toString('hex')}`)
    return device
  }

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  async publish(topic: string, data: string): Promise<void> {
    this.#id += 1
    const body = Buffer.concat([text(topic), Buffer.from([this.#id >> 8, this.#id & 255]), Buffer.from(data)])
    this.#socket.write(packet(0x32, body))
    const [answer] = (await once(this.#socket, 'data')) as [Buffer]
    if (answer[0] !== 0x40) throw new Error(`no acknowledgement: ${answer.toString('hex')}`)
  }

  close(): void {
    this.#socket.destroy()
  }
}
