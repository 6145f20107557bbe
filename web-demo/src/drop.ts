/** Files that are dropped on something. */

/** Takes the first file that is dropped. */
export function dropTarget(
  dropped: (file: File | undefined) => void,
): Record<"dragover" | "dragleave" | "drop", (event: DragEvent) => void> {
  const mark = (event: DragEvent, over: boolean): void => {
    event.preventDefault();
    (event.currentTarget as Element).classList.toggle("over", over);
  };
  return {
    dragover: (event) => mark(event, true),
    dragleave: (event) => mark(event, false),
    drop: (event) => {
      mark(event, false);
      dropped(event.dataTransfer?.files[0]);
    },
  };
}
