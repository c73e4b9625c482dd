"""Workbooks that people read and edit: template, export, report. The only package that imports openpyxl."""
