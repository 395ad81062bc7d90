import { type Attachment, cutText } from '@agent-runtime/domain';
import type { TelegramFile, TelegramMessage } from './update.ts';

const MAX_NAME_CHARS = 200;

/** What a message carries besides words. An animation comes as a document once more, for old programs. */
export function attachmentsOf(message: TelegramMessage): readonly Attachment[] {
  const { photo = [], voice, audio, video, video_note, animation, document, sticker } = message;
  const found: (Attachment | undefined)[] = [
    attachment('photo', largest(photo)),
    attachment('voice', voice),
    attachment('audio', audio),
    attachment('video', video ?? video_note ?? animation),
    attachment('document', animation === undefined ? document : undefined),
    attachment('sticker', sticker),
  ];
  return found.filter((one) => one !== undefined);
}

function attachment(kind: Attachment['kind'], file: TelegramFile | undefined): Attachment | undefined {
  if (file === undefined) return undefined;
  const { file_name, mime_type, file_size } = file;
  return {
    kind,
    id: file.file_id.toWellFormed(),
    ...(file_name === undefined ? {} : { name: cutText(file_name.toWellFormed(), MAX_NAME_CHARS) }),
    ...(mime_type === undefined ? {} : { mime: cutText(mime_type.toWellFormed(), MAX_NAME_CHARS) }),
    ...(file_size === undefined ? {} : { bytes: file_size }),
  };
}

/** A photo comes in several sizes. */
function largest(sizes: readonly TelegramFile[]): TelegramFile | undefined {
  const area = ({ width = 0, height = 0 }: TelegramFile): number => width * height;
  return sizes.reduce<TelegramFile | undefined>(
    (best, size) => (best === undefined || area(size) >= area(best) ? size : best),
    undefined,
  );
}
