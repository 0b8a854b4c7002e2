"""The chart "Which estimator?" of the landing page, as SVG.

It is part of the page, so that it has the colors of the theme and its boxes are links.
It is as wide as a phone, where its text is as large as that of the page.
"""

from html import escape

# Each question with the page that is about it, and the answer for "yes" with a word on
# what it gives.
QUESTIONS = [
    ("A first model, or a search,|a map or clusters of texts?", "user_guide"),
    ("Higher scores, and|classes to predict?", "fine_tuning"),
    ("Higher scores, and|numbers to predict?", "regression_and_tagging"),
    ("A label for each word?", "regression_and_tagging"),
    ("A table with text columns,|for gradient boosting?", "text_columns"),
    ("No labels, but many|texts of your domain?", "pretraining"),
    ("Only tokens, such as|ids or counts?", "tokenizer"),
]
ANSWERS = [
    ("BertVectorizer", "for any estimator"),
    ("BertClassifier", "one or several per text"),
    ("BertRegressor", "one or several per text"),
    ("BertTokenClassifier", "entities, parts of speech"),
    ("BertTargetEncoder", "a few columns per text"),
    ("BertMaskedLM", "an encoder of your own"),
    ("BertTokenizer", "no neural network"),
]
WIDTH, ROW, BOX = 400, 68, 46
LEFT, RIGHT = (4, 186), (224, 172)  # x and width of the two columns
HEAD = (
    '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
    ' markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker>'
)


def which_estimator():
    """Return the chart: questions on the left, estimators on the right."""
    parts = [HEAD]
    for i, ((question, page), (name, gives)) in enumerate(
        zip(QUESTIONS, ANSWERS, strict=True)
    ):
        top = 4 + i * ROW
        middle = top + BOX / 2
        parts += [
            link(f"{page}.html", box(*LEFT, top, "question", question.split("|"))),
            arrow(sum(LEFT), middle, RIGHT[0], middle, "yes", (sum(LEFT) + 5, -5)),
            link(
                f"generated/sklearn_bert.{name}.html",
                box(*RIGHT, top, "answer", [name, gives]),
            ),
        ]
        if i < len(QUESTIONS) - 1:
            x, below = LEFT[0] + LEFT[1] / 2, top + ROW
            parts.append(arrow(x, top + BOX, x, below, "no", (x + 8, -7)))
    height = len(QUESTIONS) * ROW - (ROW - BOX) + 8
    return (
        f'<div class="chart"><svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH * 1.3}"'
        ' role="group" aria-label="Which estimator? Each question leads to an'
        f' estimator, or to the next question.">{"".join(parts)}</svg></div>\n'
    )


def link(target, content):
    return f'<a href="{target}">{content}</a>'


def box(x, width, top, kind, lines):
    """Return a rounded rectangle with one or two centered lines."""
    center = x + width / 2
    first = top + BOX / 2 + 5 - 8.5 * (len(lines) - 1)
    texts = [
        f'<text x="{center}" y="{first + 17 * i}">{escape(line)}</text>'
        for i, line in enumerate(lines)
    ]
    rect = f'<rect x="{x}" y="{top}" width="{width}" height="{BOX}" rx="6"/>'
    return f'<g class="{kind}">{rect}{"".join(texts)}</g>'


def arrow(x1, y1, x2, y2, label, place):
    """Return an arrow with a label at a place relative to its end."""
    x, dy = place
    line = f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" marker-end="url(#head)"/>'
    return f'{line}<text class="label" x="{x}" y="{y2 + dy}">{label}</text>'
