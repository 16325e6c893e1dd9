import { defineStream } from 'millrace'

export default defineStream({ name: 'CHAOS', root: 'chaos', description: 'What the soak publishes and makes of it' })
