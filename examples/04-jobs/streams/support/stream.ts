import { defineStream } from 'millrace'

export default defineStream({ name: 'SUPPORT', root: 'support', partitions: 4 })
