"""Makes a PDF of one HTML page: run by soar.lib.confined, alone, with nothing of ours.

In: the page. Out: the PDF. Nothing is fetched from anywhere, whatever the page asks for: no address, no file, no data.
"""

from __future__ import annotations

import gc
import json
import logging
import re
import sys

PAGE = re.compile(r"Page (\d+)")
STEPS = {"Step 2": 12, "Step 3": 15, "Step 4": 25, "Step 6": 85, "Step 7": 97}
HALF = 60  # pages after which half of what lies between layout's beginning and end is shown as done


class Told(logging.Handler):
    """Turns the log of WeasyPrint into percents; each is said once."""

    said = 0

    def emit(self, record: logging.LogRecord) -> None:
        """One line of its progress."""
        text = record.getMessage()
        percent = STEPS.get(text[:6], self.said)
        if page := PAGE.search(text):
            number = int(page[1])
            percent = 25 + round(60 * number / (number + HALF))
        if percent > self.said:
            self.said = percent
            sys.stderr.write(f"progress {percent}\n")
            sys.stderr.flush()


def main() -> None:
    """The PDF, or one line of JSON with the reason."""
    try:
        import weasyprint
        from weasyprint import urls
    except (ImportError, OSError) as error:
        refuse("PDF needs the Pango library (libpango-1.0-0, libpangoft2-1.0-0) on the server.", str(error))

    class Nothing(urls.URLFetcher):  # type: ignore[misc]
        """Fetches nothing."""

        def fetch(self, url: str, headers: object = None) -> object:
            """Always an error, which WeasyPrint passes over: the thing is left out."""
            raise ValueError(f"{url[:80]} is not fetched")

    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    logger = logging.getLogger("weasyprint.progress")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(Told())
    # Its boxes live until the end. To look for circles among millions of them takes a third of the time and finds none;
    # the limit of memory holds without it.
    gc.disable()
    try:
        page = weasyprint.HTML(string=sys.stdin.buffer.read().decode("utf-8"), base_url=None, url_fetcher=Nothing())
        page.write_pdf(sys.stdout.buffer, presentational_hints=False)
    except MemoryError:
        refuse("The report needs too much memory as a PDF.", "")


def refuse(sentence: str, detail: str) -> None:
    """The last words."""
    sys.stderr.write(json.dumps({"error": sentence, "detail": detail[:500]}) + "\n")
    sys.exit(3)


main()
